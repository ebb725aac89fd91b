"""Leaves out what ran here: calls of the agent's own tools, and their results.

A client would take such a call for one that it must run, and strict ones refuse it. So clients see the answer as if the
tools hadn't been there, gapless and renumbered, unless they ask for receipts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall, FunctionCallOutput
from agentbench.runner.documents import is_search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.requests import HTTPConnection

    from agentbench.protocol import Event, Item, Response

__all__ = ["HEADER", "WithoutReceipts", "wants_receipts", "what_ran", "without_receipts"]

HEADER = "agentbench-receipts"
"""The request header by which a client asks for receipts: `include`."""

_AboutResponse = (
    ev.ResponseCreated
    | ev.ResponseQueued
    | ev.ResponseInProgress
    | ev.ResponseCompleted
    | ev.ResponseFailed
    | ev.ResponseIncomplete
)


def wants_receipts(request: HTTPConnection) -> bool:
    """Tell whether a client asks to see the tools that run here."""
    return request.headers.get(HEADER, "").strip().lower() == "include"


def what_ran(items: Sequence[Item]) -> frozenset[str]:
    """Return what ran here to make these items, as `Run.own_tools` tells it: that whose results are among them."""
    answered = {item.call_id for item in items if isinstance(item, FunctionCallOutput)}
    calls = [item for item in items if isinstance(item, FunctionCall) and item.call_id in answered]
    return frozenset(call.call_id if is_search(call) else call.name for call in calls)


def without_receipts(response: Response, own: frozenset[str]) -> Response:
    """Return a response without what ran here."""
    if not own:
        return response
    return msgspec.structs.replace(response, output=tuple(item for item in response.output if not _ran_here(item, own)))


class WithoutReceipts:
    """Rewrites one stream."""

    def __init__(self, own: frozenset[str]) -> None:
        self._own = own
        self._sequence = 0
        self._places: dict[int, int] = {}

    def feed(self, batch: Iterable[Event]) -> Iterator[Event]:
        """Yield the events that are left, renumbered."""
        for event in batch:
            changes = self._changes(event)
            if changes is not None:
                yield msgspec.structs.replace(event, sequence_number=self._sequence, **changes)
                self._sequence += 1

    def _changes(self, event: Event) -> dict[str, object] | None:
        """Return what is different in an event; None if it is left out."""
        if isinstance(event, _AboutResponse):
            return {"response": without_receipts(event.response, self._own)}
        if isinstance(event, ev.ErrorEvent):
            return {}
        if isinstance(event, ev.ItemAdded) and not _ran_here(event.item, self._own):
            self._places[event.output_index] = len(self._places)
        place = self._places.get(event.output_index)
        return None if place is None else {"output_index": place}


def _ran_here(item: Item, own: frozenset[str]) -> bool:
    return isinstance(item, FunctionCallOutput) or (
        isinstance(item, FunctionCall) and (item.name in own or item.call_id in own)
    )
