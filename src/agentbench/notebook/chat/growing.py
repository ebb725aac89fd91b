"""An answer while it comes: its blocks so far, and what views must be told to have them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.notebook.blocks import text_kind
from agentbench.notebook.chat.drawing import (
    LONGEST_RESULT,
    LONGEST_TEXT,
    arguments_of,
    as_written,
    note_of_cut,
    result_of,
    searched,
    state_of,
)
from agentbench.notebook.chat.values import Block, plain
from agentbench.notebook.render import GrowingHtml
from agentbench.notebook.sources import search_of
from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall, FunctionCallOutput
from agentbench.runner.documents import is_search

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.notebook.blocks import Kind
    from agentbench.notebook.chat.values import State
    from agentbench.protocol import Event

__all__ = ["Change", "Growing"]


class Change(NamedTuple):
    """A message for the views: its event, and its fields but for the turn's id."""

    event: str
    fields: dict[str, Any]


class Growing:
    """Follows a stream's events. `seconds` are those of its calls that have ended.

    One thread feeds it and asks for the changes.
    """

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self._seconds = seconds
        self._text: Kind = "text"
        self._parts: dict[str, _Prose | _Refusal | _Call | _Search] = {}
        self._calls: dict[str, _Call] = {}
        self._searches: dict[str, _Search] = {}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks as the changes so far told them."""
        return tuple(part.block for part in self._parts.values())

    @property
    def waits(self) -> bool:
        """Whether something may be known that the changes so far didn't tell."""
        return any(not part.is_told for part in self._parts.values())

    def feed(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case ev.ResponseCreated():
                self._text = text_kind(event.response)
            case ev.TextDelta():
                self._say(event.item_id, self._text, event.delta)
            case ev.ReasoningDelta() | ev.SummaryDelta():
                self._say(event.item_id, "reasoning", event.delta)
            case ev.RefusalDelta():
                self._say(event.item_id, "refusal", event.delta)
            case ev.ItemAdded(item=FunctionCall() as call) if is_search(call):
                key = f"{call.id}:call"
                self._parts[key] = self._searches[call.call_id] = _Search(key, call)
            case ev.ItemDone(item=FunctionCallOutput() as result) if result.call_id in self._searches:
                self._searches[result.call_id].end(result)
            case ev.ItemAdded(item=FunctionCall() as call):
                key = f"{call.id}:call"
                self._parts[key] = self._calls[call.call_id] = _Call(key, call)
            case ev.ArgumentsDelta():
                self._say(event.item_id, "call", event.delta)
            case ev.ItemDone(item=FunctionCallOutput() as result) if result.call_id in self._calls:
                self._calls[result.call_id].end(result, self._seconds.get(result.call_id))
            case _:
                pass

    def set_state(self, call_id: str, state: State) -> None:
        """Note that a call waits for a person, or waits no more."""
        if call_id in self._calls:
            self._calls[call_id].set_state(state)

    def changes(self) -> list[Change]:
        """Return the messages that bring a view from what the last ones told to what is known now."""
        return [change for index, part in enumerate(self._parts.values()) if (change := part.change(index)) is not None]

    def _say(self, item_id: str, kind: Kind, piece: str) -> None:
        key = f"{item_id}:{kind}"
        if key not in self._parts:
            self._parts[key] = _Refusal(key) if kind == "refusal" else _Prose(key, kind)
        part = self._parts[key]
        if not isinstance(part, _Search):
            part.feed(piece)


class _Prose:
    """Text, reasoning or JSON: pieces of HTML, of which only the last ones change."""

    def __init__(self, key: str, kind: Kind) -> None:
        self.block = Block(key=key, kind=kind, state="running")
        self._html = GrowingHtml()
        self._length = 0
        self._is_new = True
        self.is_told = False
        if kind == "json":
            self._html.feed("```json\n")

    def feed(self, piece: str) -> None:
        if (room := LONGEST_TEXT - self._length) > 0:
            self._html.feed(piece[:room])
        self._length += len(piece)
        self.is_told = False

    def change(self, index: int) -> Change | None:
        change = self._html.changes()
        self.is_told = self.is_told or change is not None
        if change is not None:
            self.block = msgspec.structs.replace(self.block, html=tuple(self._html.pieces))
        is_cut = self._length > LONGEST_TEXT and not self.block.note
        if is_cut:
            note = f"The first {LONGEST_TEXT:,} characters; there are more."
            self.block = msgspec.structs.replace(self.block, note=note)
        if self._is_new or is_cut:
            self._is_new = False
            return _put(index, self.block)
        return None if change is None else Change("grow", {"block": index, "from": change.start, "html": change.html})


class _Refusal:
    """The model's words for why it won't answer."""

    def __init__(self, key: str) -> None:
        self.block = Block(key=key, kind="refusal", state="running")
        self._text = ""
        self.is_told = True

    def feed(self, piece: str) -> None:
        self._text += piece
        self.is_told = False

    def change(self, index: int) -> Change | None:
        if self.is_told:
            return None
        self.is_told = True
        html, note = as_written(self._text[:LONGEST_TEXT]), note_of_cut(self._text, LONGEST_TEXT)
        self.block = msgspec.structs.replace(self.block, html=(html,), note=note)
        return _put(index, self.block)


class _Call:
    """A call of a function, from its first argument to its result."""

    def __init__(self, key: str, call: FunctionCall) -> None:
        self.block = Block(key=key, kind="call", name=call.name, call_id=call.call_id, state="running")
        self._arguments = call.arguments
        self.is_told = False

    def feed(self, piece: str) -> None:
        if len(self._arguments) < 2 * LONGEST_RESULT:  # the end brings the rest
            self._arguments += piece
            self.is_told = False

    def set_state(self, state: State) -> None:
        self.block = msgspec.structs.replace(self.block, state=state)
        self.is_told = False

    def end(self, result: FunctionCallOutput, seconds: float | None) -> None:
        shown = result_of(result)
        self.block = msgspec.structs.replace(self.block, state=state_of(result), seconds=seconds, result=shown)
        self.is_told = False

    def change(self, index: int) -> Change | None:
        if self.is_told:
            return None
        self.is_told = True
        self.block = msgspec.structs.replace(self.block, arguments=arguments_of(self._arguments))
        return _put(index, self.block)


class _Search:
    """A search of documents, which is whole from the beginning."""

    def __init__(self, key: str, call: FunctionCall) -> None:
        self.block = Block(key=key, kind="search", name=call.name, call_id=call.call_id, state="running")
        self._call = call
        self.is_told = False

    def end(self, result: FunctionCallOutput) -> None:
        found = search_of(self._call, result)
        self.block = self.block if found is None else searched(self._call, found)
        self.is_told = False

    def change(self, index: int) -> Change | None:
        if self.is_told:
            return None
        self.is_told = True
        return _put(index, self.block)


def _put(index: int, block: Block) -> Change:
    return Change("block", {"index": index, "block": plain(block)})
