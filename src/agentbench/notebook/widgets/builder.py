"""The form for assistants: make one, change it, and ask it something before it is saved.

What is typed lives here, not in the page: a second view and a page that is loaded again show it too, and an error
takes none of it away.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import traitlets
from msgspec import structs

from agentbench.errors import AgentbenchError, InvalidRequest, PermissionDenied, UnknownName
from agentbench.notebook.builder.drafts import NEW, Drafts
from agentbench.notebook.builder.form import field_of
from agentbench.notebook.builder.record import record_of
from agentbench.notebook.builder.trying import Trying
from agentbench.notebook.chat.values import plain
from agentbench.notebook.widgets.base import BenchWidget, operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.notebook.records import Record
    from agentbench.storage.assistants import StoredAssistant
    from agentbench.workbench import Workbench

__all__ = ["AssistantForm"]

_REFUSED = "Assistants can't be made, changed or deleted here: endpoints.assistants.disableBuilder is on."
_LONGEST_NAME = 190
"""Of a collection, without what is added here."""
_log = logging.getLogger(__name__)


class AssistantForm(BenchWidget):
    """A form for the assistants of a workbench, opened at one of them, by id or name, or at a new one.

    Raises `PermissionDenied` where nobody may make assistants.
    """

    bundle = "builder"

    refused = traitlets.Unicode().tag(sync=True)
    assistants = traitlets.List(traitlets.Dict()).tag(sync=True)
    assistant = traitlets.Unicode().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    pending = traitlets.List(traitlets.Unicode()).tag(sync=True)
    errors = traitlets.Dict().tag(sync=True)
    read_only = traitlets.Unicode().tag(sync=True)
    models = traitlets.List(traitlets.Unicode()).tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)
    refusals = traitlets.Dict().tag(sync=True)
    functions = traitlets.List(traitlets.Dict()).tag(sync=True)
    collections = traitlets.List(traitlets.Dict()).tag(sync=True)
    files = traitlets.List(traitlets.Dict()).tag(sync=True)
    adding = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict(None, allow_none=True).tag(sync=True)

    def __init__(self, bench: Workbench, *, assistant: str | None = None) -> None:
        self._bench = bench
        self._view = bench.assistants_view
        self._check_builder()
        self._drafts = Drafts(self._view)
        self._done: list[str] = []
        self._wrong: dict[str, str] = {}  # what saving was refused for, by control
        self._trying: Trying | None = None
        self._adding_to: str | None = None  # the assistant that waits for its vector store
        self._drafts.refresh()
        key = NEW if assistant is None else self._drafts.find(assistant)
        super().__init__(answer=None)
        self._show_all(key)

    def record(self) -> Record:
        """Return the assistant that is shown, what was done here, and the last answer that was tried."""
        with self.lock:
            form, tried = self._drafts.form(self.assistant), self._trying
            names = {each["id"]: each["name"] for each in self.collections}
            return record_of(
                self.assistant,
                structs.replace(form, store=names.get(form.store, form.store)),
                self.pending,
                self._done,
                None if tried is None else tried.answer,
            )

    def exported(self) -> dict[str, Any]:
        """Return what a page without a kernel shows: the forms of all assistants, to be read."""
        with self.lock:
            forms = {key: plain(self._drafts.form(key)) for key in (self.assistant, *self._drafts.known)}
        return {**super().exported(), "forms": forms}

    def close(self) -> None:
        """Cancel an answer that is coming."""
        if (trying := getattr(self, "_trying", None)) is not None:
            trying.close()
        super().close()

    # -- what the views ask for ---------------------------------------------------------------------------------

    @operation
    def refresh(self) -> None:
        """Look again at what there is, and at what may be done."""
        with self.lock:
            self._drafts.refresh()
            self._show_all()

    @operation
    def choose(self, assistant: str) -> None:
        """Show another assistant in every view, or a new one; what is pending of this one stays, its answer ends."""
        with self.lock:
            self._drafts.refresh()
            if assistant != NEW and assistant not in self._drafts.known:
                raise UnknownName("assistant", assistant)
            self._forget_answer()
            self._show_all(assistant)
        self.keep_record()

    @operation
    def copy_to_new(self) -> None:
        """Begin a new assistant that is like this one."""
        with self._building():
            self._drafts.copy(self.assistant)
            self._forget_answer()
            self._show_all(NEW)

    @operation
    def put(self, assistant: str, control: str, value: Any) -> None:
        """Take what a control holds as pending."""
        with self.lock:
            self._drafts.put(assistant, control, value)
            self._wrong = {} if assistant == self.assistant else self._wrong
            self._show_all() if control == "store" else self._show()

    @operation
    def discard(self) -> None:
        """Drop what is pending of this assistant."""
        with self.lock:
            self._drafts.discard(self.assistant)
            self._wrong = {}
            self._show_all()

    @operation
    def save(self) -> str:
        """Make the assistant or change it, and say what became of it; what is pending stays if that is refused."""
        with self._building():
            key = self.assistant
            if key == self._adding_to:
                raise InvalidRequest("Files are still being added. Save once they are there.")
            try:
                made = self._drafts.save(key)
            except InvalidRequest as error:
                if field := field_of(error.param, self._drafts.form(key)):
                    self._wrong = {field: error.message}
                    self._show()
                raise
            told = f"{'Made' if key == NEW else 'Saved'} {self._called(made)}."
            self._done.append(told)
            self._wrong = {}
            self._show_all(made)
        self.keep_record()
        return told

    @operation
    def delete(self) -> str:
        """Delete the assistant that is shown; its vector store and files stay."""
        with self._building():
            if (key := self.assistant) == NEW:
                raise InvalidRequest("This assistant isn't made yet. Discard it instead.")
            told = f"Deleted {self._called(key)}."
            self._drafts.delete(key)
            self._done.append(told)
            self._forget_answer()
            self._show_all(NEW)
        self.keep_record()
        return told

    @operation
    def ask(self, text: str) -> bool:
        """Ask what the form describes, saved or not; the answer is shown as it comes, and isn't stored."""
        with self._building():
            if self._trying is not None and self._trying.answer.running:
                raise InvalidRequest("An answer is still coming. Stop it first.")
            if not text.strip():
                raise InvalidRequest("The question is empty.")
            drafted, author = self._drafts.drafted(self.assistant), self._drafts.author(self.assistant)
            self._trying = Trying(text, lambda: self._view.ask(drafted, text, author=author), self._show_answer)
            self.answer = self._trying.answer._asdict()
            self._trying.start()
        return True

    @operation
    def stop(self) -> bool:
        """Ask the answer to end now; False if none is coming."""
        trying = self._trying
        if trying is None or not trying.answer.running:
            return False
        trying.stop()
        return True

    @operation
    def add_files(self, text: str) -> bool:
        """Queue files for what the assistant searches: paths, patterns, folders and addresses, one a line."""
        with self._building():
            sources = [each.strip() for each in text.splitlines() if each.strip()]
            if not sources:
                raise InvalidRequest("Name a file, a pattern, a folder or an address.")
            if self.adding.get("running"):
                raise InvalidRequest("Files are still being added.")
            key, form = self.assistant, self._drafts.form(self.assistant)
            self._adding_to, self.adding = key, {"running": True, "error": ""}
        name = f"{(form.name.strip() or key or 'Assistant')[:_LONGEST_NAME]} files"
        threading.Thread(
            target=self._add, args=(key, sources, form.store, name), name="agentbench-add", daemon=True
        ).start()
        return True

    # -- on other threads ---------------------------------------------------------------------------------------

    def _show_answer(self, trying: Trying) -> None:
        with self.lock:
            if trying is not self._trying:  # another assistant is shown by now
                return
            self.answer = trying.answer._asdict()
        if not trying.answer.running:
            self.keep_record()

    def _forget_answer(self) -> None:
        if self._trying is not None:
            self._trying.stop()
        self._trying = None
        self.set_trait("answer", None)

    def _add(self, key: str, sources: list[str], store: str, name: str) -> None:
        error = ""
        try:
            added = self._view.add_files(sources, store=store, name=name)
            with self.lock:
                self._adding_to = None
                self._drafts.put(key, "store", added.id)
                self._drafts.put(key, "file_search", value=True)
                self._show_all()
            read = self._view.wait(added.files)
            failed = [f"{each.name}: {each.error}" for each in read if each.status == "failed"]
            error = " ".join((*added.refused, *failed))
        except AgentbenchError as raised:
            error = raised.message
        finally:  # also when the workbench was closed meanwhile
            self._added(error)

    def _added(self, error: str) -> None:
        with self.lock:
            self._adding_to, self.adding = None, {"running": False, "error": error}
            with suppress(AgentbenchError):  # the workbench may be closed by now
                self._show_all()

    # -- what is shown ------------------------------------------------------------------------------------------

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Hold the lock for what `disableBuilder` forbids; where it does, every view learns of it."""
        with self.lock:
            try:
                self._check_builder()
            except PermissionDenied:
                self._show()
                raise
            yield

    def _check_builder(self) -> None:
        if self._view.settings.disable_builder:
            raise PermissionDenied(_REFUSED)

    def _show_all(self, key: str | None = None) -> None:
        """Bring every trait up to date, in one message."""
        with self.hold_sync():
            if key is not None and key != self.assistant:
                self.assistant, self._wrong = key, {}
            if self.assistant not in self._drafts.known:
                self.assistant = NEW
            self.models = self._view.models()
            self.functions = [
                {"name": name, "description": spec.description or ""} for name, spec in self._drafts.functions.items()
            ]
            library = self._bench.library_view.collections()
            self.collections = [{"id": each.id, "name": each.name, "files": each.files} for each in library]
            self.read_only = self._drafts.read_only(self.assistant)
            self._show()
            self.files = self._files()

    def _show(self) -> None:
        """Bring up to date what typing changes."""
        drafts, key = self._drafts, self.assistant
        form = drafts.form(key)
        with self.hold_sync():
            self.refused = _REFUSED if self._view.settings.disable_builder else ""
            self.assistants = [self._row(name, each) for name, each in drafts.known.items()]
            self.form = plain(form)
            self.pending = drafts.pending(key)
            self.errors = {**drafts.troubles(key), **self._wrong}
            self.refusals = self._view.refusals(form.model.strip())
            self.answers = self._answers(form.model.strip())

    def _row(self, key: str, stored: StoredAssistant) -> dict[str, Any]:
        return {
            "id": key,
            "name": stored.assistant.name or "",
            "own": stored.user == self._view.user,
            "pending": bool(self._drafts.pending(key)),
        }

    def _answers(self, model: str) -> dict[str, Any]:
        """Return who answers for a model, or why nobody does."""
        try:
            return {"by": self._view.who_answers(model) if model else "", "why": ""}
        except InvalidRequest as error:
            return {"by": "", "why": error.message}

    def _files(self) -> list[dict[str, Any]]:
        store = self._drafts.form(self.assistant).store
        files = self._view.files(store) if store else []
        return [{"id": each.id, "name": each.name, "status": each.status, "error": each.error or ""} for each in files]

    def _called(self, key: str) -> str:
        name = self._drafts.known[key].assistant.name
        return f"{name} ({key})" if name else key
