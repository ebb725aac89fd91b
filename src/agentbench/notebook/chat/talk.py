"""A chat as a person has it: one conversation, the answer that is on its way, and what may be done with either.

Every method returns at once; what takes long happens on the answer's thread, and the views are told.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import AgentbenchError, InvalidRequest, StorageError, UnknownName
from agentbench.notebook.chat.answering import Answering, Begun
from agentbench.notebook.chat.asked import Asked, items_of, renewed
from agentbench.notebook.chat.drawing import question_of
from agentbench.notebook.chat.passages import documents_of, passage_of
from agentbench.notebook.chat.past import Past, Place
from agentbench.notebook.chat.pictures import as_asked, images_of, of_call
from agentbench.notebook.chat.roster import Roster
from agentbench.notebook.chat.values import Turn, plain
from agentbench.notebook.result import Result
from agentbench.protocol.values import new_id
from agentbench.runner import Cell
from agentbench.runner.target import model_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.notebook.chat.answering import Views
    from agentbench.notebook.chat.record import Snapshot
    from agentbench.notebook.chat.values import Question
    from agentbench.protocol.items import FunctionCall
    from agentbench.runner.documents import Document
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench import Stream, Workbench

__all__ = ["Talk"]

_TITLE_S = 30.0
_TITLE_TURNS = 3
"""How long, and after how many turns at most, a model's title is waited for."""
_LOOK_S = 0.5


class Talk:
    """A conversation with an agent. Any thread may use it; `lock` guards it, `views` show it, `close` ends it."""

    def __init__(
        self,
        bench: Workbench,
        views: Views,
        *,
        lock: threading.RLock,
        agent: str | None = None,
        model: str | None = None,
        conversation: Conversation | str | None = None,
    ) -> None:
        self.last: Result | None = None
        self._bench = bench
        self._views = views
        self._lock = lock
        found = None if conversation is None else _found(bench, conversation)
        self.past = Past(bench, found)
        self._roster = Roster(bench)
        known = None if found is None else self._roster.known(found.agent)
        self.agent = agent or known or bench.catalog.default_agent.id
        self.model = model or ""
        self.agent = self._roster.checked(self.agent, self.model)
        self._take_last()
        self._title: str | None = None  # for a conversation that isn't begun yet
        self._warned: str | None = None  # of the database's trouble, last
        self._answering: Answering | None = None
        self._threads: list[Answering] = []
        self._closed = threading.Event()
        self._cell = Cell(id=None, run=new_id("chat"), notebook=os.environ.get("JPY_SESSION_NAME"))

    # -- asking -------------------------------------------------------------------------------------------------

    def send(
        self, text: str, images: Sequence[str] = (), *, asks: bool = True, documents: tuple[Document, ...] = ()
    ) -> Answering:
        """Ask what comes next; raises `InvalidRequest` if the question is empty or an answer is still coming."""
        return self._start(Asked(items_of(text, images), None, goes_on=True, asks=asks, documents=documents))

    def retry(self, turn_id: str) -> Answering:
        """Ask a turn's question again, of the same documents, in a branch of its own."""
        place, documents = self._asked(turn_id)
        return self._start(Asked(renewed(place.items), place.parent, documents=documents))

    def edit(self, turn_id: str, text: str, images: Sequence[str] = ()) -> Answering:
        """Ask something else in a turn's place, in a branch of its own; images that no view was given stay."""
        place, documents = self._asked(turn_id)
        return self._start(Asked(items_of(text, as_asked(images, place.items)), place.parent, documents=documents))

    def stop(self) -> bool:
        """Ask the answer to end now; False if none is coming."""
        with self._lock:
            answering = self._answering
        if answering is not None:
            answering.stop()
        return answering is not None

    def approve(self, call_id: str, *, granted: bool) -> None:
        """Say whether a tool may run that waits for it."""
        with self._lock:
            answering = self._answering
        if answering is None:
            raise InvalidRequest("No answer is coming, so nothing waits for a yes.")
        answering.approve(call_id, granted=granted)

    # -- the conversation ---------------------------------------------------------------------------------------

    def switch(self, turn_id: str) -> None:
        """Go to the branch of another turn at the same place."""
        with self._lock:
            self._check_idle()
            self.past.switch(turn_id)
            self.show()

    def use(self, agent: str | None = None, model: str | None = None) -> None:
        """Let another agent or model answer from the next question on; an agent comes with its own model."""
        with self._lock:
            chosen = agent or self.agent
            wanted = model if model is not None else ("" if agent else self.model)
            self.agent, self.model = self._roster.checked(chosen, wanted), wanted
            self._views.show(agent=self.agent, model=wanted, agents=self._roster.shown())

    def rename(self, title: str) -> None:
        """Give the conversation a title, for good."""
        title = " ".join(title.split())
        if not title:
            raise InvalidRequest("The title is empty.")
        with self._lock:
            if self.past.conversation is None:
                self._title = title
            else:
                self._bench.rename(self.past.conversation, title)
            self._views.show(title=title)

    def fresh(self) -> None:
        """Begin another conversation; this one stays in the history."""
        with self._lock:
            self._check_idle()
            self.past, self._title = Past(self._bench, None), None
            self._roster.look()
            self.show()

    def look(self) -> bool:
        """Look whether the conversation went on elsewhere, and show it; return whether it did."""
        with self._lock, suppress(StorageError):
            if self._answering is None and self.past.look():
                self._take_last()
                self.show()
                return True
        return False

    def live(self) -> Any:
        """Return the turn that is coming, as JSON has it; None if none is."""
        with self._lock:
            return None if self._answering is None else self._answering.whole()

    def earlier(self, before: str, count: int) -> list[Any]:
        """Return so many turns at most before one of them, as JSON has them."""
        with self._lock:
            return [plain(turn) for turn in self.past.before(before, count)]

    def images(self, turn_id: str, call_id: str = "") -> list[str]:
        """Return the addresses of a question's images, or of those that a call gave back."""
        with self._lock:
            place = self._place(turn_id)
            return images_of(of_call(place.output, call_id) if call_id else place.items)

    def passage(self, turn_id: str, number: int) -> dict[str, str]:
        """Return a passage that an answer may cite, between what is around it in its file."""
        with self._lock:
            place = self._place(turn_id)
        return passage_of(place.output, number, self._bench.library_view)

    def last_documents(self) -> tuple[Document, ...]:
        """Return what the newest turn rested on, but for what its agent brought itself."""
        output = self.past.stored[-1].response.output if self.past.stored else ()
        own = self._bench.own_collections(self.agent)
        found = documents_of(output, self._bench.library_view, missing_ok=True)
        return tuple(each for each in found if each.kind != "collection" or own.isdisjoint((each.id, each.name)))

    def snapshot(self) -> Snapshot:
        """Return what a record is made of, with the answer that is coming."""
        with self._lock:
            shown, answering = self.past.snapshot(), self._answering
        return shown if answering is None else shown._replace(live=answering.so_far())

    def show(self) -> None:
        """Show all that there is."""
        self._views.show(**self.state())

    def state(self) -> dict[str, Any]:
        """Return all that there is to show."""
        view = self.past.view()
        conversation = self.past.conversation
        return {
            "title": self._title if conversation is None else conversation.title,
            "conversation_id": "" if conversation is None else conversation.id,
            "agent": self.agent,
            "model": self.model,
            "agents": self._roster.shown(),
            "models": model_names(self._bench.catalog),
            "turns": [plain(turn) for turn in view.turns],
            "earlier": view.earlier,
            "totals": self.past.totals(),
            "running": self._answering is not None,
        }

    def close(self) -> None:
        """Stop what is coming, and wait until its threads have ended."""
        self._closed.set()
        for each in self._threads:
            each.close()

    # -- an answer, on its thread -------------------------------------------------------------------------------

    def _start(self, asked: Asked) -> Answering:
        with self._lock:
            self._check_idle()
            if self._closed.is_set():
                raise InvalidRequest("This chat is closed. Open another one.")

            def begin(approve: Callable[[FunctionCall], bool]) -> Begun:
                return self._begin(asked, approve)

            answering = Answering(begin, self._views, lambda ended: self._ended(ended, asked))
            self._answering = answering
            self._threads = [*(each for each in self._threads if each.is_alive), answering]
            self._views.show(running=True)
            answering.start()
            return answering

    def _begin(self, asked: Asked, approve: Callable[[FunctionCall], bool]) -> Begun:
        question = question_of(asked.items)
        with self._lock:
            if asked.goes_on:
                self.past.look()
                asked = asked._replace(parent=self.past.end)
            self.past.cut(asked.parent)
            agent, model = self.agent, self.model
        if self.past.conversation is None:
            self.past.conversation = self._bench.start_conversation(self._title, agent=agent)
            self._title = None
        stream = self._bench.stream(
            asked.items,
            agent=agent,
            model=model or None,
            conversation=self.past.conversation,
            cell=self._cell,
            approve=approve if asked.asks else None,
            files=asked.documents,
            **({"past": ()} if asked.parent is None else {"previous": asked.parent}),
        )
        with self._lock:
            turn = self._turn(stream.run.response.id, question, asked.parent)
            turn = msgspec.structs.replace(turn, agent=agent, model=stream.run.target.name)
            self._views.show(**self.state(), live=plain(turn))
        return Begun(stream, turn)

    def _turn(self, turn_id: str, question: Question, parent: str | None) -> Turn:
        return Turn(
            id=turn_id,
            parent=parent,
            question=question,
            status="running",
            siblings=(*self.past.after(parent), turn_id),
            agent=self.agent,
            model=self.model,
            at=datetime.now(UTC).isoformat(),
        )

    def _ended(self, answering: Answering, asked: Asked) -> None:
        try:
            answering.result = self._take_in(answering, asked)
            self._views.ended(answering.result)
        finally:
            with self._lock:
                if self._answering is answering:  # taking it in broke off
                    self._answering = None
                    self._views.show(running=False, live=None)
            answering.done.set()
        self._await_title(answering)

    def _take_in(self, answering: Answering, asked: Asked) -> Result | None:
        stream = answering.stream
        run = None if stream is None else stream.run
        if answering.error is None and (run is None or run.row is None):
            answering.error = InvalidRequest("The workbench was closed before an answer came.")
        result = None if answering.error is not None else _result(answering)
        with self._lock:
            self.past.count(() if run is None else run.rows, {} if run is None else run.tool_seconds)
        if run is not None and result is not None:
            stored = run.record[-1]
            warning = "" if run.warning == self._warned else run.warning or ""
            self._warned = run.warning
            self.past.draw(stored, warning)  # it may take long, and nobody should wait for the lock
        with self._lock:
            if run is not None and result is not None:
                self.past.add(stored)
                self.last = result
            else:
                self.past.add_failed(self._failed(answering, asked), asked.items, asked.documents)
            self._answering = None
            self.past.title()
            state = self.state()
            self._views.say("turn", turn=state["turns"][-1])
            self._views.show(**state, live=None)
        return result

    def _failed(self, answering: Answering, asked: Asked) -> Turn:
        """Return a turn that nobody answered."""
        parent = self.past.end if asked.goes_on else asked.parent
        turn = answering.turn or self._turn(new_id("turn"), question_of(asked.items), parent)
        blocks = tuple(msgspec.structs.replace(each, state="failed") for each in turn.blocks)
        return msgspec.structs.replace(turn, status="failed", note=answering.reason, blocks=blocks)

    def _await_title(self, answering: Answering) -> None:
        """Wait a while for the title that a model may make after the first turn."""
        stream = answering.stream
        if stream is None or len(self.past.stored) > _TITLE_TURNS or not stream.run.target.endpoint.titles.enabled:
            return
        until = time.monotonic() + _TITLE_S
        while time.monotonic() < until and not self._closed.wait(_LOOK_S):
            with self._lock:
                conversation = self.past.conversation
                if self._answering is not None or conversation is None:
                    return
                try:
                    found = self._bench.conversation(conversation.id)
                except AgentbenchError:  # the database is closed, or in trouble
                    return
                if found is not None and found.titled_by in ("model", "person"):
                    self.past.conversation = found
                    self.past.count_again()
                    self._views.show(title=found.title, totals=self.past.totals())
                    return

    def _take_last(self) -> None:
        """Have the newest turn that is stored as the last one."""
        if self.past.stored:
            response = self.past.stored[-1].response
            self.last = Result(response, self.past.row(response.id), [], [])

    def _place(self, turn_id: str) -> Place:
        """Return where a turn stands, that which is coming too."""
        coming = None if self._answering is None else self._answering.so_far()
        if coming is not None and coming.response.id == turn_id:
            return Place(coming.parent, coming.input, coming.response.output)
        return self.past.place(turn_id)

    def _asked(self, turn_id: str) -> tuple[Place, tuple[Document, ...]]:
        """Return where a turn stands, and what it rested on."""
        with self._lock:
            place = self.past.place(turn_id)
        if place.documents is not None:
            return place, place.documents
        return place, documents_of(place.output, self._bench.library_view)

    def _check_idle(self) -> None:
        if self._answering is not None:
            raise InvalidRequest("An answer is still coming. Stop it, or wait for its end.")


def _found(bench: Workbench, conversation: Conversation | str) -> Conversation:
    key = conversation if isinstance(conversation, str) else conversation.id
    if (found := bench.conversation(key)) is None:
        raise UnknownName("conversation", key, [each.id for each in bench.conversations(100)])
    return found


def _result(answering: Answering) -> Result:
    stream: Stream | None = answering.stream
    assert stream is not None  # noqa: S101 - there is no result without
    run = stream.run
    limit = run.target.endpoint.max_tool_result_chars
    return Result(run.response, run.row, answering.events, answering.times, limit=limit, warning=run.warning)
