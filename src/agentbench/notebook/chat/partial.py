"""An answer that isn't whole yet, as items: those that are done, and the others as far as they were told."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText, ReasoningText, Refusal
from agentbench.protocol.items import FunctionCall, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.protocol import Event, Item

    Pieces = Mapping[type[Event], Sequence[str]]

__all__ = ["output_so_far"]


def output_so_far(events: Iterable[Event]) -> tuple[Item, ...]:
    """Return the items that a stream's events told."""
    items: dict[int, Item] = {}
    pieces: defaultdict[int, defaultdict[type[Event], list[str]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        match event:
            case ev.ItemAdded():
                items[event.output_index] = event.item
            case ev.ItemDone():
                items[event.output_index] = event.item
                pieces.pop(event.output_index, None)
            case ev.TextDelta() | ev.RefusalDelta() | ev.ReasoningDelta() | ev.SummaryDelta() | ev.ArgumentsDelta():
                pieces[event.output_index][type(event)].append(event.delta)
            case _:
                pass
    return tuple(_grown(item, pieces[place]) if place in pieces else item for place, item in sorted(items.items()))


def _grown(item: Item, pieces: Pieces) -> Item:
    def said(*kinds: type[Event]) -> str:
        return "".join(piece for kind in kinds for piece in pieces.get(kind, ()))

    match item:
        case Message():
            answer = (OutputText(text=said(ev.TextDelta)), Refusal(refusal=said(ev.RefusalDelta)))
            return msgspec.structs.replace(item, content=answer)
        case Reasoning():
            thought = (ReasoningText(text=said(ev.ReasoningDelta) or said(ev.SummaryDelta)),)
            return msgspec.structs.replace(item, content=thought)
        case FunctionCall():
            return msgspec.structs.replace(item, arguments=item.arguments + said(ev.ArgumentsDelta))
    return item
