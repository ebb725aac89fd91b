"""One answer on its way: read on a thread of its own, told to the views in small pieces.

A view gets at most 30 messages a second and 300 kB; the whole turn, for those who missed some, every 1.5 seconds. The
record, which is all that is left when the kernel dies, is renewed every 5 seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from agentbench.errors import AgentbenchError, InvalidRequest
from agentbench.notebook.chat.growing import Growing
from agentbench.notebook.chat.partial import output_so_far
from agentbench.notebook.chat.values import Turn, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.notebook.result import Result
    from agentbench.protocol import Event
    from agentbench.protocol.items import FunctionCall
    from agentbench.storage.responses import StoredResponse
    from agentbench.workbench import Stream

__all__ = ["Answering", "Begun", "Views"]

_PAUSE_S = 1 / 30
_BYTES_PER_S = 300_000
_WHOLE_S = 1.5
_RECORD_S = 5.0
_LOOK_S = 0.2
_CLOSING_S = 10.0
_log = logging.getLogger(__name__)


class Views(Protocol):
    """Whoever shows a chat. Any thread may call these."""

    def say(self, event: str, **fields: Any) -> None:
        """Tell what has just happened; who isn't there misses it."""

    def show(self, **state: Any) -> None:
        """Change what is shown, for those too who come later."""

    def keep(self) -> bool:
        """Renew the record soon, with what has come so far; False if it is too early for that."""

    def ended(self, result: Result | None) -> None:
        """Take note that a turn has ended; None is one that nobody answered."""


class Begun(NamedTuple):
    """An answer that begins, and its turn before anything was said."""

    stream: Stream
    turn: Turn


class Answering:
    """Reads an answer from its beginning to its end, on a thread.

    `begin` is called there, with a function that waits for a person's yes to a tool's call; `ended` at the end.
    """

    def __init__(
        self,
        begin: Callable[[Callable[[FunctionCall], bool]], Begun],
        views: Views,
        ended: Callable[[Answering], None],
    ) -> None:
        self.stream: Stream | None = None
        self.turn: Turn | None = None
        self.error: Exception | None = None
        """Why nobody answered."""
        self.result: Result | None = None
        """What it came to, once it is `done`; None if nobody answered."""
        self.events: list[Event] = []
        self.times: list[float] = []
        self.done = threading.Event()
        self._begin = begin
        self._views = views
        self._ended = ended
        self._growing = Growing({})
        self._stopping = threading.Event()
        self._wish: _Wish | None = None
        self._start = time.perf_counter()
        self._next = self._next_whole = self._next_record = 0.0
        self._dirty = self._unkept = False
        self._thread = threading.Thread(target=self._run, name="agentbench-chat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the answer to end now; what has come so far is kept, and a call that waits for a yes is refused."""
        self._stopping.set()
        if (wish := self._wish) is not None:
            wish.answered.set()
        if self.stream is not None:
            self.stream.stop()

    def close(self) -> None:
        """Stop, and wait until the thread has ended."""
        self.stop()
        if self.stream is not None:
            self.stream.close()
        if self._thread is not threading.current_thread():
            self._thread.join(_CLOSING_S)

    @property
    def reason(self) -> str:
        """Why nobody answered, for a reader; empty if somebody did."""
        if self.error is None or isinstance(self.error, AgentbenchError):
            return "" if self.error is None else self.error.message
        return f"agentbench itself failed ({type(self.error).__name__}). The kernel's log says more."

    @property
    def is_alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def approve(self, call_id: str, *, granted: bool) -> None:
        """Answer for the person; raises `InvalidRequest` if that call doesn't wait for an answer."""
        wish = self._wish
        if wish is None or wish.call_id != call_id:
            raise InvalidRequest("That call doesn't wait for an answer any more.")
        wish.granted = granted
        wish.answered.set()

    # -- on its thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self.stream, self.turn = self._begin(self._ask_person)
            self._growing = Growing(self.stream.run.tool_seconds)
            self._keep()
            if self._stopping.is_set():
                self.stream.stop()
            self._read(self.stream)
        except Exception as error:  # noqa: BLE001 - it becomes the turn's end, where the person sees it
            if not isinstance(error, AgentbenchError):
                _log.exception("an answer broke off")
            self.error = error
        finally:
            if self.stream is not None:
                self.stream.close()
            self._ended(self)

    def _read(self, stream: Stream) -> None:
        while True:
            try:
                batch = stream.read(self._pause())
            except TimeoutError:
                batch = []
            if batch is None:
                return
            for event in batch:
                self.events.append(event)
                self.times.append(time.perf_counter() - self._start)
                self._growing.feed(event)
            self._dirty = self._dirty or bool(batch)
            self._unkept = self._unkept or bool(batch)
            self._tell()

    def _pause(self) -> float | None:
        """Return for how many seconds nothing has to be told; None while all is told."""
        waits = (self._growing.waits, self._next), (self._dirty, self._next_whole), (self._unkept, self._next_record)
        due = min((time_due for is_waiting, time_due in waits if is_waiting), default=None)
        return None if due is None else max(0.0, due - time.monotonic())

    def _tell(self, *, now: bool = False) -> None:
        """Tell the views what is new, unless they were told something just before."""
        if now or time.monotonic() >= self._next:
            self._tell_changes()
        if now or time.monotonic() >= self._next_whole:
            self._next_whole = time.monotonic() + _WHOLE_S
            self._dirty = False
            self._views.show(live=self.whole())
        if self._unkept and time.monotonic() >= self._next_record:
            self._keep()

    def _keep(self) -> None:
        self._next_record = time.monotonic() + _RECORD_S
        self._unkept = not self._views.keep()

    def _tell_changes(self) -> None:
        changes, size = self._growing.changes(), 0
        if self.turn is None or not changes:
            self._next = time.monotonic() + _PAUSE_S
            return
        self.turn = msgspec.structs.replace(self.turn, blocks=self._growing.blocks)
        for event, fields in changes:
            self._views.say(event, turn=self.turn.id, **fields)
            size += len(msgspec.json.encode(fields))
        self._next = time.monotonic() + max(len(changes) * _PAUSE_S, size / _BYTES_PER_S)

    def whole(self) -> Any:
        """Return the turn as it was told so far, as JSON has it; None before it begins."""
        return None if self.turn is None else plain(self.turn)

    def so_far(self) -> StoredResponse | None:
        """Return the turn with what has come of its answer; None before it begins. Any thread may ask."""
        if self.stream is None:
            return None
        stored = self.stream.run.record[-1]
        response = msgspec.structs.replace(stored.response, output=output_so_far(list(self.events)))
        return msgspec.structs.replace(stored, response=response)

    def _ask_person(self, call: FunctionCall) -> bool:
        """Wait until a view says yes or no, or the answer ends; a call that nobody can answer for isn't made."""
        self._wish = wish = _Wish(call.call_id)
        self._growing.set_state(call.call_id, "waiting")
        self._tell(now=True)
        self._keep()
        while not (wish.answered.wait(_LOOK_S) or self._stopping.is_set() or self._is_over()):
            pass
        self._wish = None
        granted = wish.granted and not self._stopping.is_set()
        self._growing.set_state(call.call_id, "running" if granted else "refused")
        self._tell(now=True)
        return granted

    def _is_over(self) -> bool:
        """Tell whether the answer has ended while a person was asked: the workbench was closed."""
        return self.stream is not None and self.stream.run.row is not None


class _Wish:
    """A call that waits for a person."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.granted = False
        self.answered = threading.Event()
