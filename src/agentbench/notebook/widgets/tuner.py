"""The config tuner: every setting of every endpoint as a form, with what holds now and who said so.

What is pending lives here, not in the page: a second view and a page that is loaded again show it too. No secret goes
to a browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import traitlets

from agentbench.config.tuning import Draft
from agentbench.errors import InvalidRequest
from agentbench.notebook.tuner.previews import preview_headers, preview_title, preview_truncation
from agentbench.notebook.tuner.record import record_of
from agentbench.notebook.widgets.base import BenchWidget, operation

if TYPE_CHECKING:
    from agentbench.notebook.records import Record
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse
    from agentbench.workbench import Workbench

__all__ = ["Tuner"]


class Tuner(BenchWidget):
    """A form for the settings of a workbench's endpoints, opened at one of them.

    Previews look at the conversation, by default the newest there is.
    """

    bundle = "tuner"

    endpoints = traitlets.List(traitlets.Unicode()).tag(sync=True)
    endpoint = traitlets.Unicode().tag(sync=True)
    fields = traitlets.List(traitlets.Dict()).tag(sync=True)
    file = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    pending = traitlets.List(traitlets.Unicode()).tag(sync=True)
    session = traitlets.List(traitlets.Unicode()).tag(sync=True)
    problems = traitlets.List(traitlets.Unicode()).tag(sync=True)
    undoes = traitlets.Unicode().tag(sync=True)
    redoes = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        bench: Workbench,
        *,
        endpoint: str | None = None,
        conversation: Conversation | str | None = None,
    ) -> None:
        self._bench = bench
        self._conversation = conversation
        self.draft = Draft(bench.config)
        super().__init__()
        self._show(self._block(endpoint) if endpoint else bench.catalog.default_endpoint.name)

    def record(self) -> Record:
        """Return the settings that differ from their defaults as a table."""
        with self.lock:
            return record_of(self.draft)

    def exported(self) -> dict[str, Any]:
        """Return what a page without a kernel shows: the forms of all endpoints, to be read."""
        with self.lock:
            forms = {block: self._form(block) for block in self.draft.blocks}
        return {**super().exported(), "forms": forms}

    @operation
    def choose(self, endpoint: str) -> None:
        """Show another endpoint's form in every view."""
        with self.lock:
            self.draft.refresh()
            self._show(self._block(endpoint))

    @operation
    def refresh(self) -> None:
        """Look again at what holds."""
        with self.lock:
            self.draft.refresh()
            self._show()

    @operation
    def put(self, endpoint: str, key: str, value: Any) -> None:
        """Take what a control holds as pending."""
        with self.lock:
            self.draft.put(endpoint, key, value)
            self._show()

    @operation
    def unset(self, endpoint: str, key: str) -> None:
        """Let a key be taken back, from the session or else the file."""
        with self.lock:
            self.draft.unset(endpoint, key)
            self._show()

    @operation
    def reset(self, endpoint: str, key: str) -> None:
        """Drop what is pending for a key."""
        with self.lock:
            self.draft.reset(endpoint, key)
            self._show()

    @operation
    def discard(self) -> None:
        """Drop all that is pending."""
        with self.lock:
            self.draft.discard()
            self._show()

    @operation
    def diff(self) -> str:
        """Return what saving would change in the file, secrets masked."""
        with self.lock:
            return self.draft.diff()

    @operation
    def apply(self) -> str:
        """Let what is pending hold for the session, and say what became of it."""
        return self._step(self.draft.apply)

    @operation
    def save(self) -> str:
        """Write what is pending and what the session has set to the file, and say what became of it."""
        return self._step(self.draft.save)

    @operation
    def undo(self) -> str:
        """Take back the last apply or save."""
        return self._step(self.draft.undo)

    @operation
    def redo(self) -> str:
        """Do again what was undone."""
        return self._step(self.draft.redo)

    @operation
    def preview(self, endpoint: str, kind: str, sample: str = "") -> dict[str, Any]:
        """Return what the pending settings would do: `headers`, `title` or `truncation`."""
        with self.lock:
            catalog = self.draft.catalog
        match kind:
            case "headers":
                return preview_headers(catalog, endpoint)
            case "title":
                return preview_title(catalog, endpoint, self._turns())
            case "truncation":
                return preview_truncation(catalog, endpoint, self._turns(), sample)
        raise InvalidRequest(f"There is no preview {kind!r}.")

    def _step(self, step: Any) -> str:
        with self.lock:
            try:
                told: str = step()
            finally:
                self._show()
            self.keep_record()
            return told

    def _show(self, block: str | None = None) -> None:
        """Bring every trait up to date, in one message."""
        draft = self.draft
        shown = block or self.endpoint
        shown = shown if shown in draft.blocks else draft.blocks[0]
        with self.hold_sync():
            self.endpoints, self.endpoint = list(draft.blocks), shown
            self.fields = self._form(shown)
            self.file = str(draft.config.file) if draft.config.file else None
            self.pending, self.session = list(draft.pending), list(draft.in_session)
            self.problems = list(draft.problems)
            self.undoes, self.redoes = draft.history.undoes, draft.history.redoes

    def _form(self, block: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = msgspec.to_builtins(self.draft.rows(block))
        return rows

    def _block(self, name: str) -> str:
        by_fold = {each.casefold(): each for each in self.draft.blocks}
        return by_fold.get(name.casefold()) or self._bench.catalog.endpoint(name).name

    def _turns(self) -> tuple[StoredResponse, ...]:
        newest = self._bench.conversations(1)
        conversation = self._conversation or (newest[0] if newest else None)
        return self._bench.turns(conversation) if conversation is not None else ()
