"""What an answer is made of for a reader: blocks of text, reasoning, calls; finished, or still growing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from agentbench.notebook.sources import LONGEST_PASSAGE, cut, line_of, searches_of, title_of
from agentbench.protocol import events as ev
from agentbench.protocol.content import InputText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.request import PlainTextFormat
from agentbench.runner.documents import is_search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentbench.notebook.sources import Search
    from agentbench.protocol import Event, Item, Response

__all__ = ["Block", "Growing", "blocks_of", "note_of", "text_kind"]

Kind = Literal["text", "json", "refusal", "reasoning", "call", "output", "search", "source"]


class Block(NamedTuple):
    """A stretch of one kind; `name` is a called function's, `note` what else there is to know.

    A `source` is a passage that the answer rests on, named by its number and where it is from.
    """

    kind: Kind
    text: str
    name: str = ""
    note: str = ""


def blocks_of(items: Iterable[Item], *, text: Kind = "text", limit: int | None = None) -> list[Block]:
    """Return finished items as blocks; `text` is the kind of their text, `limit` what the model saw of a result.

    A search of documents is one line; its passages come at the end.
    """
    kept, out = list(items), list[Block]()
    searches = searches_of(kept)
    for item in kept:
        match item:
            case FunctionCall() if item.call_id in searches:
                out.append(Block("search", line_of(searches[item.call_id])))
            case FunctionCallOutput() if item.call_id in searches:
                pass
            case Message():
                out += [Block(text, item.text), Block("refusal", item.refusal)]
            case Reasoning():
                out.append(Block("reasoning", item.text))
            case FunctionCall():
                out.append(Block("call", item.arguments, item.name))
            case FunctionCallOutput():
                out.append(_output(item, limit))
            case _:
                pass
    return [block for block in (*out, *_sources(searches.values())) if block.text]


def _sources(searches: Iterable[Search]) -> Iterator[Block]:
    for search in searches:
        for each in search.passages:
            yield Block("source", cut(each.text, LONGEST_PASSAGE), f"[{each.n}] {title_of(each)}", each.url or "")


def text_kind(response: Response) -> Kind:
    """Return what an answer's text is: prose, or JSON where that was asked for."""
    return "text" if isinstance(response.text.format, PlainTextFormat) else "json"


def note_of(response: Response) -> str:
    """Return why a response stopped early, for a reader; empty if it didn't."""
    if response.error is not None:
        return f"Broke off: {response.error.message}"
    if response.incomplete_details is None:
        return ""
    return f"Stopped early: {response.incomplete_details.reason.replace('_', ' ')}."


def _output(item: FunctionCallOutput, limit: int | None) -> Block:
    text = _output_text(item)
    if limit is None or len(text) <= limit:
        return Block("output", text)
    return Block("output", text, note=f"The result, of which the model saw {limit:,} of {len(text):,} characters")


def _output_text(item: FunctionCallOutput) -> str:
    if isinstance(item.output, str):
        return item.output
    return "\n".join(
        part.text if isinstance(part, InputText) else f"({part.__struct_config__.tag})" for part in item.output
    )


class Growing:
    """Follows a stream's events and knows the blocks so far."""

    def __init__(self) -> None:
        self._text: Kind = "text"
        self._pieces: dict[tuple[int, Kind], list[str]] = {}
        self._names: dict[int, str] = {}
        self._search: FunctionCall | None = None

    def feed(self, event: Event) -> bool:
        """Take an event in; True if it changed what there is to see."""
        match event:
            case ev.TextDelta():
                self._add(event.output_index, self._text, event.delta)
            case ev.RefusalDelta():
                self._add(event.output_index, "refusal", event.delta)
            case ev.ReasoningDelta() | ev.SummaryDelta():
                self._add(event.output_index, "reasoning", event.delta)
            case ev.ArgumentsDelta():
                self._add(event.output_index, "call", event.delta)
            case ev.ResponseCreated():
                self._text = text_kind(event.response)
                return False
            case ev.ItemDone(item=FunctionCall() as call) if is_search(call):
                self._search = call
                return False
            case ev.ItemDone(item=FunctionCallOutput() as result) if self._search is not None:
                return self._end_search(self._search, result, event.output_index)
            case ev.ItemAdded(item=FunctionCall() as call):
                self._names[event.output_index] = call.name
            case _:
                return False
        return True

    @property
    def blocks(self) -> list[Block]:
        """The blocks so far, in order."""
        return [
            Block(kind, "".join(pieces), self._names.get(place, ""))
            for (place, kind), pieces in sorted(self._pieces.items(), key=lambda each: each[0][0])
        ]

    def _end_search(self, call: FunctionCall, result: FunctionCallOutput, place: int) -> bool:
        blocks = blocks_of((call, result)) if call.call_id == result.call_id else []
        for line in (block.text for block in blocks if block.kind == "search"):
            self._add(place, "search", line)
        return bool(blocks)

    def _add(self, place: int, kind: Kind, piece: str) -> None:
        self._pieces.setdefault((place, kind), []).append(piece)
