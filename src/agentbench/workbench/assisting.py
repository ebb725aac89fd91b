"""The assistants of a workbench, made, changed and listed from Python."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from agentbench.auth.principal import KERNEL
from agentbench.errors import UnknownName
from agentbench.protocol.assistants.requests import ChangeAssistant, CreateAssistant
from agentbench.protocol.assistants.tools import CodeInterpreter, FileSearch, FunctionSpec, FunctionTool
from agentbench.runner.tools import Tool, as_tool
from agentbench.workbench.adding import found_sources
from agentbench.workbench.answerers import ID_PREFIX
from agentbench.workbench.asking import Asking
from agentbench.workbench.assistant import AssistantHandle, tool_name
from agentbench.workbench.collection import FileCollection
from agentbench.workbench.knowing import Knowing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from agentbench.frames.library import Frame
    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.protocol.assistants.tools import AssistantTool
    from agentbench.workbench.workbench import Workbench

    T = TypeVar("T")
    Wanted = str | Tool | Callable[..., Any]
    Sources = str | Path | FileCollection | Sequence[str | Path]

__all__ = ["Assisting"]

_TYPES: dict[str, AssistantTool] = {"code_interpreter": CodeInterpreter(), "file_search": FileSearch()}
_LONGEST_NAME = 190
"""Of a collection, without what is added here."""


class Assisting(Asking, Knowing):
    """Makes assistants."""

    def assistant(
        self,
        name: str,
        *,
        instructions: str | None = None,
        model: str | None = None,
        tools: Sequence[Wanted] | None = None,
        files: Sources | None = None,
        description: str | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        metadata: Mapping[str, str] | None = None,
        progress: bool = True,
    ) -> AssistantHandle:
        """Make an assistant, or change yours of that name or id, and return it. What is None stays as it is.

        `model` is an agent's id, an `endpoint/model`, or any name that the config has a substitute for. `tools` are
        `"code_interpreter"`, `"file_search"`, functions, and names of tools that were added before; functions run here
        when it is asked here. `files` are a collection, or what `collection.add` takes: it searches exactly those.
        Raises `UnknownName` for a tool that there isn't, `PermissionDenied` where nobody may make assistants.
        """
        sources = _listed(files)
        if sources:
            self._await(partial(found_sources, sources))  # a slip in a name, before anything is made
        there = self._mine(name)
        given: dict[str, Any] = {
            "instructions": instructions,
            "model": model,
            "tools": self._tools(tools, there, searches=bool(sources or isinstance(files, FileCollection))),
            "description": description,
            "temperature": temperature,
            "top_p": top_p,
            "metadata": None if metadata is None else dict(metadata),
        }
        made = self._put(name, there, {key: value for key, value in given.items() if value is not None})
        if files is not None:
            made = self._search(made, self._store(made, files, sources, progress=progress))
        return AssistantHandle(self._bench, made)

    def find_assistant(self, name: str) -> AssistantHandle:
        """Return an assistant by its id, or yours by its name; raises `UnknownName` if there is none."""
        if (found := self._mine(name)) is None:
            known = [each or key for key, each in self.assistant_names().items()]
            raise UnknownName("assistant", name, known)
        return AssistantHandle(self._bench, found)

    def delete_assistant(self, name: str) -> None:
        """Delete an assistant by its id, or yours by its name; its vector store and files stay."""
        self._await(partial(self._runner.assistants.delete, KERNEL, self.find_assistant(name).id))

    def assistants(self) -> Frame:
        """Return the assistants that you may use, a row each: those here, the newest first, then those of upstreams.

        An upstream that can't be reached is left out, with a warning.
        """
        from agentbench.frames.assistants import assistants_frame
        from agentbench.workbench.listing import all_listed

        rows, troubles = self._await(partial(all_listed, self._runner))
        for trouble in troubles:
            warnings.warn(trouble, stacklevel=2)
        return assistants_frame(rows)

    def tool_names(self) -> list[str]:
        """Return what `tools` may name: the types of tools, and the functions that were added."""
        return [*_TYPES, *self._runner.toolbox.names]

    def _mine(self, name: str) -> Assistant | None:
        """Return the assistant of that id, which must be there, or mine of that name, if there is one."""
        desk = self._runner.assistants
        return self._await(partial(desk.assistant if name.startswith(ID_PREFIX) else desk.named, KERNEL, name))

    def _tools(
        self, wanted: Sequence[Wanted] | None, there: Assistant | None, *, searches: bool
    ) -> tuple[AssistantTool, ...] | None:
        """Return the tools that it is to have; None leaves them as they are."""
        if wanted is None and not searches:
            return None
        before = there.tools if wanted is None and there is not None else ()
        several = [wanted] if isinstance(wanted, str) else wanted or ()
        tools = [*before, *map(self._tool, several), *([_TYPES["file_search"]] if searches else [])]
        return tuple({tool_name(each): each for each in tools}.values())

    def _tool(self, wanted: Wanted) -> AssistantTool:
        if isinstance(wanted, str):
            if wanted in _TYPES:
                return _TYPES[wanted]
            known = self._runner.toolbox.those([wanted]).get(wanted)
            if known is None:
                raise UnknownName("tool", wanted, self.tool_names(), param="tools")
        else:
            known = as_tool(wanted)
            self.add_tool(known)
        spec = known.spec
        return FunctionTool(
            function=FunctionSpec(name=spec.name, description=spec.description, parameters=spec.parameters)
        )

    def _put(self, name: str, there: Assistant | None, given: dict[str, Any]) -> Assistant:
        desk = self._runner.assistants
        if there is None:
            body = CreateAssistant(**{"name": name, "model": self.catalog.default_agent.id, **given})
            return self._await(partial(desk.create, KERNEL, body))
        if all(getattr(there, key) == value for key, value in given.items()):
            return there
        return self._await(partial(desk.change, KERNEL, there.id, ChangeAssistant(**given)))

    def _store(self, made: Assistant, files: Sources, sources: Sequence[str | Path], *, progress: bool) -> str | None:
        """Return the id of the vector store that holds the files; None without any."""
        if isinstance(files, FileCollection):
            return files.id
        if not sources:
            return None
        collection = self.collection(f"{(made.name or made.id)[:_LONGEST_NAME]} files")
        return collection.replace(*sources, progress=progress).id

    def _search(self, made: Assistant, store: str | None) -> Assistant:
        ids = [] if store is None else [store]
        known = made.tool_resources.file_search if made.tool_resources is not None else None
        if list(known.vector_store_ids if known else ()) == ids:
            return made
        body = ChangeAssistant(tool_resources={"file_search": {"vector_store_ids": ids}})
        return self._await(partial(self._runner.assistants.change, KERNEL, made.id, body))

    def _await(self, job: Callable[[], Awaitable[T]]) -> T:
        return self._open_loop().portal.call(job)

    @property
    def _bench(self) -> Workbench:
        return cast("Workbench", self)  # the one class that has all sides


def _listed(files: Sources | None) -> Sequence[str | Path]:
    if files is None or isinstance(files, FileCollection):
        return ()
    return [files] if isinstance(files, (str, Path)) else files
