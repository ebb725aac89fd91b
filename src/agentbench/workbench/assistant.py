"""An assistant in Python: who it is, and the ways to ask it."""

from __future__ import annotations

import html
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agentbench.errors import UnknownName
from agentbench.protocol.assistants.tools import FunctionTool

if TYPE_CHECKING:
    from agentbench.gateway.stream import Stream
    from agentbench.notebook.widgets.chat import ChatWidget
    from agentbench.protocol import Response
    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.protocol.assistants.tools import AssistantTool
    from agentbench.workbench.workbench import Workbench

__all__ = ["AssistantHandle", "tool_name"]

_SHOWN = 300
"""Characters of the instructions that a cell shows."""


class AssistantHandle:
    """An assistant that lives here. `assistant` is what it was when this was made; each question looks it up anew."""

    def __init__(self, bench: Workbench, assistant: Assistant) -> None:
        self.assistant = assistant
        self._bench = bench

    @property
    def id(self) -> str:
        """The id, which is the same in the Assistants API."""
        return self.assistant.id

    @property
    def name(self) -> str:
        """The name; the id where it has none."""
        return self.assistant.name or self.id

    @property
    def tools(self) -> list[str]:
        """The names of its functions, and the types of its other tools."""
        return [tool_name(each) for each in self.assistant.tools]

    def file_names(self) -> list[str]:
        """Return the names of the files that it searches, as far as they can be read from here."""
        resources = self.assistant.tool_resources
        if resources is None or resources.file_search is None:
            return []
        names: list[str] = []
        for store in resources.file_search.vector_store_ids:
            with suppress(UnknownName):
                names += self._bench.collection(store).files()["name"].tolist()
        return names

    def ask(self, text: str, **options: Any) -> Response:
        """Return its whole answer; takes what `Workbench.ask` takes, and raises the same."""
        return self._bench.ask(text, agent=self.id, **options)

    def stream(self, text: str, **options: Any) -> Stream:
        """Start an answer and return its stream of events; takes what `Workbench.stream` takes."""
        return self._bench.stream(text, agent=self.id, **options)

    def chat(self, **options: Any) -> ChatWidget:
        """Return a chat with it; takes what `Workbench.chat` takes."""
        return self._bench.chat(self.id, **options)

    def delete(self) -> None:
        """Delete it; its vector store and files stay. Raises `PermissionDenied` where nobody may."""
        self._bench.delete_assistant(self.id)

    def __repr__(self) -> str:
        tools = ", ".join(self.tools)
        return f"<assistant {self.name!r} {self.id} on {self.assistant.model}{f', with {tools}' if tools else ''}>"

    def _repr_html_(self) -> str:
        assistant = self.assistant
        rows = {
            "assistant": self.name,
            "id": self.id,
            "description": assistant.description,
            "model": assistant.model,
            "tools": ", ".join(self.tools),
            "instructions": _shortened(assistant.instructions or ""),
        }
        shown = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left;white-space:pre-wrap'>"
            f"{html.escape(value)}</td></tr>"
            for name, value in rows.items()
            if value
        )
        return f"<table>{shown}</table>"


def tool_name(tool: AssistantTool) -> str:
    """Return what people call a tool: a function by its name, any other by its type."""
    return tool.function.name if isinstance(tool, FunctionTool) else str(tool.__struct_config__.tag)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()}…"
