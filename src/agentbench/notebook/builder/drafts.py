"""What is typed for each assistant and isn't saved yet, beside what is saved. `NEW` is the one that isn't made yet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest, PermissionDenied, UnknownName
from agentbench.notebook.builder.form import EMPTY, Form, form_of, given_by, troubles
from agentbench.protocol.assistants.objects import Assistant
from agentbench.protocol.assistants.requests import ChangeAssistant, CreateAssistant
from agentbench.protocol.assistants.tools import SearchResources, ToolResources
from agentbench.protocol.decode import convert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.protocol.assistants.tools import FunctionSpec
    from agentbench.storage.assistants import StoredAssistant
    from agentbench.workbench.assistants_view import AssistantsView

__all__ = ["NEW", "Drafts"]

NEW = ""


class Drafts:
    """The assistants that there are, and what is pending of each. Not for several threads at once."""

    def __init__(self, view: AssistantsView) -> None:
        self._view = view
        self._edits: dict[str, dict[str, Any]] = {}
        self.known: Mapping[str, StoredAssistant] = {}
        self.functions: Mapping[str, FunctionSpec] = {}

    def refresh(self) -> None:
        """Look again at what there is. An assistant that is gone stays as long as something is pending for it."""
        there = {each.assistant.id: each for each in self._view.all()}
        kept = {key: each for key, each in self.known.items() if key in self._edits and key not in there}
        self.known = {**there, **kept}
        self.functions = self._view.functions()

    def find(self, name: str) -> str:
        """Return the id of an assistant by its id, or the newest by its name; raises `UnknownName`."""
        for key, each in self.known.items():
            if name in (key, each.assistant.name):
                return key
        raise UnknownName("assistant", name, [each.assistant.name or key for key, each in self.known.items()])

    def saved(self, key: str) -> Form:
        """Return what is saved."""
        return EMPTY if key == NEW else form_of(self.known[key].assistant, self.functions)

    def form(self, key: str) -> Form:
        """Return what is saved, and in its place what is pending."""
        return msgspec.structs.replace(self.saved(key), **self._edits.get(key, {}))

    def pending(self, key: str) -> list[str]:
        """Return the controls that hold something else than what is saved."""
        return list(self._edits.get(key, ()))

    def put(self, key: str, control: str, value: Any) -> None:
        """Take what a control holds; raises `InvalidRequest` if it can't hold that."""
        if key != NEW and key not in self.known:
            raise UnknownName("assistant", key)
        if control not in Form.__struct_fields__:
            raise UnknownName("field", control, Form.__struct_fields__)
        form = convert({**msgspec.to_builtins(self.form(key)), control: value}, Form)
        self._edits[key] = _differing(form, self.saved(key))
        self._forget_empty()

    def discard(self, key: str) -> None:
        """Drop what is pending."""
        self._edits.pop(key, None)

    def copy(self, key: str) -> None:
        """Let a new assistant be like this one, with what is pending of it; raises if another new one is pending."""
        if self._edits.get(NEW):
            raise InvalidRequest("Another new assistant isn't saved yet. Save it or discard it, then copy.")
        self._edits[NEW] = _differing(self.form(key), EMPTY)
        self._forget_empty()

    def troubles(self, key: str) -> dict[str, str]:
        """Return what is wrong with the controls, each with a sentence."""
        return troubles(self.form(key), self._assistant(key), self.functions)

    def author(self, key: str) -> str:
        """Return the user whose it is."""
        return self._view.user if key == NEW else self.known[key].user

    def read_only(self, key: str) -> str:
        """Return why an assistant can't be changed by this user; empty if it can."""
        if (author := self.author(key)) == self._view.user:
            return ""
        return f"It is {author}'s, who alone may change it. A copy of it is yours."

    def save(self, key: str) -> str:
        """Make the assistant, or change it; return its id. What is pending stays if that is refused."""
        if why := self.read_only(key):
            raise PermissionDenied(why)
        before = None if key == NEW else self.saved(key)
        given = given_by(self.form(key), before, self._assistant(key), self.functions)
        if key == NEW:
            made = self._view.create(CreateAssistant(**given))
        else:
            made = self._view.change(key, ChangeAssistant(**given))
        self.discard(key)
        self.refresh()
        return made.id

    def delete(self, key: str) -> None:
        """Delete the assistant, and what is pending of it."""
        self._view.delete(key)
        self.discard(key)
        self.refresh()

    def drafted(self, key: str) -> Assistant:
        """Return the assistant as it would be if it were saved; raises as `save` does for what is wrong."""
        before = self._assistant(key)
        given = given_by(self.form(key), None, before, self.functions)
        stores = given.pop("tool_resources")["file_search"]["vector_store_ids"]
        made = Assistant(
            id=key or "asst_draft",
            created_at=int(time.time()),
            response_format="auto" if before is None else before.response_format,
            **{name: value for name, value in given.items() if value is not None},
        )
        resources = before.tool_resources if before is not None and before.tool_resources else ToolResources()
        search = SearchResources(vector_store_ids=tuple(stores))
        return msgspec.structs.replace(made, tool_resources=msgspec.structs.replace(resources, file_search=search))

    def _assistant(self, key: str) -> Assistant | None:
        return None if key == NEW else self.known[key].assistant

    def _forget_empty(self) -> None:
        self._edits = {key: each for key, each in self._edits.items() if each}


def _differing(form: Form, saved: Form) -> dict[str, Any]:
    names = Form.__struct_fields__
    return {name: getattr(form, name) for name in names if getattr(form, name) != getattr(saved, name)}
