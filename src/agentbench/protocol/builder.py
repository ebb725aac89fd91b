"""The one place where a stream of events is made.

Providers tell the builder what came in ("text", "a piece of call 2's arguments"); it alone numbers events, opens and
closes items and parts, and ends the response. So every stream obeys the grammar of Open Responses section 4,
whatever the upstream did: `created`, `in_progress`, items, exactly one terminal event; ids and indexes stable;
`sequence_number` without gaps from 0; every item that was added is done.
"""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Literal

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol._drafts import CallDraft, Draft, MessageDraft, ReasoningDraft
from agentbench.protocol.response import IncompleteDetails, Response, ResponseError, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from agentbench.protocol._drafts import Cite
    from agentbench.protocol.content import LogProb, UrlCitation
    from agentbench.protocol.items import Item, ItemStatus

__all__ = ["EventBuilder", "Outcome"]

Outcome = Literal["completed", "incomplete", "failed"]


class EventBuilder:
    """Makes one response's events. Each method returns the events that its news causes, often none or one.

    `outcome` is None until `stop`, `cut` or `fail` says how the response goes; `finish` then ends the stream. A
    stream that is finished with no outcome was dropped, and fails. `cite`, if it is set, is asked what each text cites
    once that is whole; `mask` takes secrets out of what is said of a failure.
    """

    def __init__(self, response: Response, *, clock: Callable[[], float] = time.time) -> None:
        self.response = response
        self.cite: Cite | None = None
        self.mask: Callable[[str], str] | None = None
        self.outcome: Outcome | None = None
        self.finished = False
        self._clock = clock
        self._number = count().__next__
        self._items: list[Item] = []
        self._current: MessageDraft | ReasoningDraft | None = None
        self._calls: dict[Hashable, CallDraft] = {}
        self._waiting: dict[Hashable, tuple[str | None, str]] = {}  # the id and arguments of calls without a name yet
        self._error: ev.ErrorPayload | None = None
        self._usage: Usage | None = None
        self._call_usage: Usage | None = None

    # -- the response -------------------------------------------------------------------------------------------

    def start(self) -> list[ev.Event]:
        """Announce the response; one that is queued leaves the queue."""
        out: list[ev.Event] = [ev.ResponseCreated(sequence_number=self._number(), response=self.response)]
        if self.response.status == "queued":
            out.append(ev.ResponseQueued(sequence_number=self._number(), response=self.response))
            self._update(status="in_progress")
        out.append(ev.ResponseInProgress(sequence_number=self._number(), response=self.response))
        return out

    def stop(self) -> None:
        """Say that the upstream ended as it should."""
        self.outcome = self.outcome or "completed"

    def cut(self, reason: str) -> None:
        """Say that the response ended early: `max_output_tokens`, `content_filter`, `interrupted`, `cancelled`."""
        if self.outcome in (None, "completed"):
            self.outcome = "incomplete"
            self._update(incomplete_details=IncompleteDetails(reason=reason))

    def fail(self, message: str, *, code: str = "server_error", kind: str = "server_error") -> None:
        """Say that the response failed. The first failure is the one that counts."""
        if self.outcome != "failed":
            self.outcome = "failed"
            message = message if self.mask is None else self.mask(message)
            self._error = ev.ErrorPayload(type=kind, code=code, message=message)
            self._update(error=ResponseError(code=code, message=message), incomplete_details=None)

    def usage(self, usage: Usage) -> None:
        """Note the tokens of the current upstream call so far; a later note replaces an earlier one."""
        self._call_usage = usage

    def next_call(self) -> list[ev.Event]:
        """Close what the upstream call left open and make ready for another within the same response.

        Only a call that ended as it should has a next one: being cut or failed stays the response's outcome.
        """
        out = self._end_call()
        self._usage, self._call_usage = self.total_usage, None
        if self.outcome == "completed":
            self.outcome = None
        return out

    @property
    def call_usage(self) -> Usage | None:
        """The tokens of the current upstream call, as far as they were told."""
        return self._call_usage

    @property
    def total_usage(self) -> Usage | None:
        """The tokens of all upstream calls so far; None while none has told any."""
        if self._usage is None or self._call_usage is None:
            return self._usage or self._call_usage
        return self._usage + self._call_usage

    def finish(self) -> list[ev.Event]:
        """Close what is open and end the stream; a second call returns nothing."""
        if self.finished:
            return []
        out = self._end_call()
        self.finished = True
        if self._error is not None:
            out.append(ev.ErrorEvent(sequence_number=self._number(), error=self._error))
        out.append(self._terminal())
        return out

    # -- its items ----------------------------------------------------------------------------------------------

    def text(self, delta: str, *, logprobs: tuple[LogProb, ...] = ()) -> list[ev.Event]:
        """More text of the assistant's message."""
        if not delta and not logprobs:
            return []
        out, message = self._message()
        return out + message.text(self._number, delta, logprobs)

    def texts(self, deltas: Iterable[str]) -> list[ev.Event]:
        """More text in several pieces; empty ones are left out."""
        deltas = [delta for delta in deltas if delta]
        if not deltas:
            return []
        out, message = self._message()
        return out + message.texts(self._number, deltas)

    def refusal(self, delta: str) -> list[ev.Event]:
        """More of a refusal."""
        if not delta:
            return []
        out, message = self._message()
        return out + message.refusal(self._number, delta)

    def annotation(self, annotation: UrlCitation) -> list[ev.Event]:
        """A citation within the current text."""
        out, message = self._message()
        return out + message.annotation(self._number, annotation)

    def reasoning(self, delta: str) -> list[ev.Event]:
        """More raw reasoning."""
        if not delta:
            return []
        out, draft = self._reasoning()
        return out + draft.raw(self._number, delta)

    def reasoning_begins(self, item_id: str | None) -> list[ev.Event]:
        """A reasoning item begins, under the id that its provider wants to see again."""
        return self._reasoning(item_id)[0]

    def reasoning_summary(self, delta: str, *, new_part: bool = False) -> list[ev.Event]:
        """More of a summary of the reasoning; `new_part` starts the next part first."""
        if not delta and not new_part:
            return []
        out, draft = self._reasoning()
        return out + draft.summary(self._number, delta, new_part=new_part)

    def reasoning_sealed(self, encrypted_content: str) -> list[ev.Event]:
        """Put a provider's opaque copy of the reasoning on the current reasoning item."""
        out, draft = self._reasoning()
        draft.encrypted = encrypted_content
        return out

    def call(self, key: Hashable, *, name: str = "", call_id: str | None = None, arguments: str = "") -> list[ev.Event]:
        """News of a function call; `key` tells calls apart that grow side by side.

        A name or id that comes again is ignored, as some servers repeat it with each piece.
        """
        draft = self._calls.get(key)
        if draft is not None:
            return draft.arguments(self._number, arguments)
        early_id, early_arguments = self._waiting.pop(key, (None, ""))
        call_id, arguments = early_id or call_id, early_arguments + arguments
        if not name:
            self._waiting[key] = (call_id, arguments)
            return []
        out = self._close_current("completed")
        draft = CallDraft(len(self._items), call_id=self._unless_taken(call_id), name=name)
        self._calls[key] = draft
        out += self._open(draft)
        return out + draft.arguments(self._number, arguments)

    def call_done(self, key: Hashable) -> list[ev.Event]:
        """Close one function call early; its key is free again."""
        draft = self._calls.pop(key, None)
        return [] if draft is None else self._close(draft, "completed")

    def end_item(self) -> list[ev.Event]:
        """Close the current message or reasoning, so that what comes next is an item of its own."""
        return self._close_current("completed")

    def item(self, item: Item) -> list[ev.Event]:
        """Add an item that is whole already, such as a tool's receipt."""
        out = self._close_current("completed")
        index = len(self._items)
        self._items.append(item)
        out.append(ev.ItemAdded(sequence_number=self._number(), output_index=index, item=item))
        out.append(ev.ItemDone(sequence_number=self._number(), output_index=index, item=item))
        return out

    def close_items(self, status: ItemStatus = "completed") -> list[ev.Event]:
        """Close every open item: at the end of one upstream call, before the next one or the end."""
        out = self._close_current(status)
        for key in list(self._calls):
            out += self._close(self._calls.pop(key), status)
        if self._waiting and self.outcome == "completed":
            self.fail("The upstream sent a function call without a name.", code="upstream_garbled")
        self._waiting.clear()
        return out

    @property
    def output(self) -> tuple[Item, ...]:
        """The items so far; open ones as they were announced."""
        return tuple(self._items)

    # -- within -------------------------------------------------------------------------------------------------

    def _update(self, **changes: object) -> None:
        self.response = msgspec.structs.replace(self.response, **changes)

    def _end_call(self) -> list[ev.Event]:
        if self.outcome is None:
            self.fail("The upstream closed the stream before the answer was complete.", code="upstream_dropped")
        return self.close_items("completed" if self.outcome == "completed" else "incomplete")

    def _message(self) -> tuple[list[ev.Event], MessageDraft]:
        if isinstance(self._current, MessageDraft):
            return [], self._current
        out = self._close_current("completed")
        draft = self._current = MessageDraft(len(self._items), self.cite)
        return out + self._open(draft), draft

    def _reasoning(self, item_id: str | None = None) -> tuple[list[ev.Event], ReasoningDraft]:
        if isinstance(self._current, ReasoningDraft):
            return [], self._current
        out = self._close_current("completed")
        draft = self._current = ReasoningDraft(len(self._items), self._unless_taken(item_id))
        return out + self._open(draft), draft

    def _unless_taken(self, given: str | None) -> str | None:
        """Return the upstream's id, or None if an item has it already: some servers use one twice."""
        taken = any(given in (item.id, getattr(item, "call_id", None)) for item in self._items)
        return None if taken else given

    def _open(self, draft: Draft) -> list[ev.Event]:
        self._items.append(draft.item("in_progress"))
        return draft.open(self._number)

    def _close_current(self, status: ItemStatus) -> list[ev.Event]:
        draft, self._current = self._current, None
        return [] if draft is None else self._close(draft, status)

    def _close(self, draft: Draft, status: ItemStatus) -> list[ev.Event]:
        out = draft.close(self._number, status)
        self._items[draft.index] = draft.item(status)
        return out

    def _terminal(self) -> ev.Event:
        completed = self.outcome == "completed"
        cut = self.response.incomplete_details
        cancelled = cut is not None and cut.reason == "cancelled"  # a status of its own, which says it all
        self._update(
            status="cancelled" if cancelled else self.outcome,
            incomplete_details=None if cancelled else cut,
            output=tuple(self._items),
            usage=self.total_usage,
            completed_at=int(self._clock()) if completed else None,
        )
        number = self._number()
        if completed:
            return ev.ResponseCompleted(sequence_number=number, response=self.response)
        if self.outcome == "incomplete":
            return ev.ResponseIncomplete(sequence_number=number, response=self.response)
        return ev.ResponseFailed(sequence_number=number, response=self.response)
