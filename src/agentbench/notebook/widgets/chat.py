"""The chat: a conversation with an agent in a notebook's output. What it does lies in `notebook/chat`."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import traitlets

from agentbench.errors import AnswerFailed
from agentbench.notebook.chat.documents import ChatDocuments
from agentbench.notebook.chat.exporting import whole_branch
from agentbench.notebook.chat.pictures import image_bytes
from agentbench.notebook.chat.record import Records
from agentbench.notebook.chat.talk import Talk
from agentbench.notebook.extension import remember
from agentbench.notebook.widgets.base import BenchWidget, Reply, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from agentbench.notebook.records import Record
    from agentbench.notebook.result import Result
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench import Workbench
    from agentbench.workbench.looking_into import Documents

    Follow = Callable[[Conversation | None], None]

__all__ = ["ChatWidget"]

# Operations whose names are taken here, by a trait or by what all widgets have.
_METHODS = {"send": "ask_next", "live": "fetch_live", "earlier": "fetch_earlier"}

_RECORD_BYTES_PER_S = 100_000
"""How fast records of a running answer are sent: each goes out twice, beside the answer itself."""


class ChatWidget(BenchWidget):
    """A chat with an agent, in a new conversation or one that is named.

    `follow` is told the conversation when it changes; it may be called on any thread.
    """

    bundle = "chat"

    title = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    conversation_id = traitlets.Unicode("").tag(sync=True)
    agent = traitlets.Unicode("").tag(sync=True)
    model = traitlets.Unicode("").tag(sync=True)
    agents = traitlets.List(traitlets.Dict()).tag(sync=True)
    models = traitlets.List(traitlets.Unicode()).tag(sync=True)
    turns = traitlets.List(traitlets.Dict()).tag(sync=True)
    earlier = traitlets.Int(0).tag(sync=True)
    live = traitlets.Dict(None, allow_none=True).tag(sync=True)
    running = traitlets.Bool(False).tag(sync=True)  # noqa: FBT003 - the trait's default
    draft = traitlets.Unicode("").tag(sync=True)
    totals = traitlets.Dict().tag(sync=True)
    documents = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(
        self,
        bench: Workbench,
        *,
        agent: str | None = None,
        model: str | None = None,
        conversation: Conversation | str | None = None,
        files: Documents = (),
        follow: Follow | None = None,
    ) -> None:
        lock, self._recording = threading.RLock(), threading.RLock()
        self._records = Records()
        self._next_keep = 0.0
        self._bench = bench
        self._follow = follow
        self._talk = Talk(bench, self, lock=lock, agent=agent, model=model, conversation=conversation)
        self._documents = ChatDocuments(lambda: bench.library_view, lambda shown: self.show(documents=shown))
        chosen = bench.library_view.documents(files) if files else self._talk.last_documents()
        super().__init__(**self._talk.state())
        self.lock = lock  # one for both: each calls the other
        self._documents.put(chosen)

    @property
    def conversation(self) -> Conversation | None:
        """The conversation; None before its first question."""
        return self._talk.past.conversation

    @property
    def last(self) -> Result | None:
        """The result of the newest turn that has ended; None before the first."""
        return self._talk.last

    def frame(self) -> pd.DataFrame:
        """Return one row a turn of the branch in view: what was asked, what was said, what it took."""
        from agentbench.notebook.chat.frame import frame_of

        with self.lock:
            return frame_of(self._talk.past)

    def ask(self, text: str, *, images: Sequence[str] = ()) -> Result:
        """Ask from Python, as if it had been typed in, and return the result; an interrupt stops the answer.

        Tools that want a person's yes aren't run: the cell that asks is busy, so no button would be heard. Raises
        `AnswerFailed` if the answer breaks off, or the error that kept it from beginning.
        """
        answering = self._talk.send(text, images, asks=False, documents=self._documents.chosen())
        try:
            answering.done.wait()
        except KeyboardInterrupt:
            answering.stop()
            answering.done.wait()
        if answering.error is not None:
            raise answering.error
        result = answering.result
        assert result is not None  # noqa: S101 - without one there is an error
        if (error := result.response.error) is not None:
            raise AnswerFailed(error.message, result.response)
        return result

    def record(self) -> Record:
        """Return the branch in view, to be read without a live view."""
        with self._recording:
            return self._records.record(self._talk.snapshot())

    def keep_record(self) -> None:
        """Renew the record in every output that shows this chat; of two at once, the later one stays."""
        with self._recording:
            if self._handles:
                super().keep_record()
                self._next_keep = time.monotonic() + self._records.size / _RECORD_BYTES_PER_S

    def exported(self) -> dict[str, Any]:
        """Return the whole branch in view, as far as a page carries it, with its images; without the draft."""
        with self.lock:
            return super().exported() | {"draft": "", "documents": []} | whole_branch(self._talk.past)

    def close(self) -> None:
        """Stop what is coming, and end its thread."""
        if (talk := getattr(self, "_talk", None)) is not None:
            talk.close()
            self._documents.close()
        super().close()

    # -- what the views ask for ---------------------------------------------------------------------------------

    @operation
    def ask_next(self, text: str, images: Sequence[str] = (), agent: str = "", model: str | None = None) -> bool:
        """Ask what comes next; another agent or model answers from now on, if one is named."""
        if agent or model is not None:
            self._talk.use(agent or None, model)
        self._talk.send(text, images, documents=self._documents.chosen())
        return True

    @operation
    def stop(self) -> bool:
        """Ask the answer to end now; False if none is coming."""
        return self._talk.stop()

    @operation
    def retry(self, turn: str) -> bool:
        """Ask a turn's question again, in a branch of its own."""
        self._talk.retry(turn)
        return True

    @operation
    def edit(self, turn: str, text: str, images: Sequence[str] = ()) -> bool:
        """Ask something else in a turn's place, in a branch of its own."""
        self._talk.edit(turn, text, images)
        return True

    @operation
    def switch(self, turn: str) -> bool:
        """Go to the branch of another turn at the same place."""
        self._talk.switch(turn)
        self._renew()
        return True

    @operation
    def approve(self, call: str, granted: bool) -> bool:  # noqa: FBT001 - views send it by name
        """Say whether a tool may run that waits for it."""
        self._talk.approve(call, granted=granted)
        return True

    @operation
    def use(self, agent: str | None = None, model: str | None = None) -> bool:
        """Let another agent or model answer from the next question on; an agent comes with its own model."""
        self._talk.use(agent, model)
        return True

    @operation
    def rename(self, title: str) -> bool:
        """Give the conversation a title, for good."""
        self._talk.rename(title)
        self._renew()
        return True

    @operation
    def fresh(self) -> bool:
        """Begin another conversation; this one stays in the history."""
        self._talk.fresh()
        self._documents.clear()
        self._renew()
        return True

    @operation
    def copy(self, turn: str) -> dict[str, str]:
        """Return a turn's answer as it was written."""
        with self.lock:
            return {"markdown": self._talk.past.text(turn)}

    @operation
    def image(self, turn: str, index: int, call: str = "") -> Reply:
        """Return an image that a turn doesn't bring itself: a question's, or one that a call gave back."""
        kind, data = image_bytes(self._talk.images(turn, call), index)
        return Reply({"type": kind}, [data])

    @operation
    def fetch_live(self) -> Any:
        """Return the turn that is coming; without one, look whether the conversation went on elsewhere."""
        self.look()
        return self._talk.live()

    @operation
    def fetch_earlier(self, before: str, count: int) -> list[Any]:
        """Return turns before one of them."""
        return self._talk.earlier(before, count)

    @operation
    def passage(self, turn: str, number: int) -> dict[str, str]:
        """Return a passage that a turn's answer may cite, between what is around it in its file."""
        return self._talk.passage(turn, number)

    @operation
    def library(self) -> dict[str, Any]:
        """Return what can be picked: the newest collections and files."""
        library = self._bench.library_view
        files = library.files()
        return {
            "collections": [{"id": each.id, "name": each.name, "files": each.files} for each in library.collections()],
            "files": [{"id": each.id, "name": each.name, "size": each.size, "status": each.status} for each in files],
        }

    @operation
    def pick(self, kind: str, name: str, picked: bool) -> bool:  # noqa: FBT001 - views send it by name
        """Let the answers rest on a collection or file of that id, or no longer."""
        self._documents.pick(kind, name, picked=picked)
        return True

    @operation
    def upload(self, key: str, name: str, size: int) -> bool:
        """Expect a file, whose pieces come by `piece`."""
        self._documents.begin(key, name, size)
        return True

    @operation
    def piece(self, key: str, at: int, buffers: Sequence[bytes] = ()) -> int:
        """Take a piece of a file; return how many bytes of it have come."""
        return self._documents.take(key, at, buffers)

    @operation
    def unpick(self, key: str) -> bool:
        """Take a document out, or end its upload."""
        self._documents.remove(key)
        return True

    @operation
    def reprocess(self, key: str) -> bool:
        """Process a file again that failed."""
        self._documents.retry(key)
        return True

    # -- what the talk tells ------------------------------------------------------------------------------------

    def show(self, **state: Any) -> None:
        """Change what the views show, in one message. Any thread may."""
        before = self.conversation_id
        with self.lock, self.hold_sync():
            for name, value in state.items():
                setattr(self, name, value)
        if self._follow is not None and self.conversation_id != before:
            self._follow(self.conversation)

    def ended(self, result: Result | None) -> None:
        """Keep the record of what was said so far."""
        if result is not None:
            remember(self._bench, result)
        self.keep_record()

    def keep(self) -> bool:
        """Renew the record of an answer that is coming, unless that was just done or is too much to be sent."""
        if time.monotonic() < self._next_keep:
            return False
        self._next_keep = time.monotonic() + 1
        self._renew()
        return True

    def look(self) -> None:
        """Show what was said in the conversation elsewhere."""
        if self._talk.look():
            self._renew()

    def set_state(self, sync_data: Any) -> None:
        """Take in what a view has changed, while nobody else changes anything."""
        with self.lock:
            super().set_state(sync_data)

    def _renew(self) -> None:
        """Keep the record soon: a request isn't to wait for it."""
        threading.Thread(target=self.keep_record, name="agentbench-record", daemon=True).start()

    def _answer(self, content: dict[str, Any], buffers: Sequence[Any]) -> Any:
        name = content.get("op")
        known = _METHODS.get(name, name) if isinstance(name, str) else name
        return super()._answer({**content, "op": known}, buffers)
