"""A conversation as it stays in the notebook: its newest turns, so many as a notebook carries lightly."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from agentbench.notebook.chat.drawing import LONGEST_RESULT, LONGEST_TEXT, note_of_cut
from agentbench.notebook.records import Record
from agentbench.notebook.render import clean
from agentbench.notebook.sanitize import literal
from agentbench.notebook.sources import LONGEST_PASSAGE, shortened
from agentbench.notebook.twins import conversation_record
from agentbench.protocol.content import ContentPart, InputImage, InputText, OutputText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, InputItem, Item, Message
from agentbench.runner.documents import is_search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentbench.notebook.chat.values import Turn
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.usage import UsageRow

AnyItem = TypeVar("AnyItem", bound=InputItem)
Part = TypeVar("Part", bound=ContentPart)

__all__ = ["MOST_BYTES", "Records", "Snapshot"]

MOST_BYTES = 100_000
"""Of turns, as JSON; each is in the record three times over: as HTML, Markdown and text."""
_LIVE = "Still being answered when this was kept."
_LONGEST_IMAGE = 300_000


class Snapshot(NamedTuple):
    """What a record is made of: the branch in view, what was asked after it in vain, and what is being answered."""

    conversation: Conversation | None
    stored: Sequence[StoredResponse]
    rows: Mapping[str, UsageRow]
    seconds: Mapping[str, float]
    loose: Turn | None
    live: StoredResponse | None = None


class Records:
    """Makes the records of one chat; each turn is laid out once. One thread at a time may use it."""

    def __init__(self) -> None:
        self.size = 0
        """Characters of the newest record."""
        self._turns: dict[str, Record] = {}

    def record(self, shown: Snapshot) -> Record:
        """Return the record; notes say what is before it, what was asked in vain, and what is being answered."""
        live = None if shown.live is None else _shortened(shown.live)
        turns = _newest(shown.stored, MOST_BYTES - (0 if live is None else _size(live)), least=live is None)
        records = [self._turn(each, shown) for each in turns]
        if live is not None:
            records.append(conversation_record(None, [live], seconds=shown.seconds, note=_LIVE))
        kept = shown.conversation
        title = None if kept is None or kept.titled_by == "words" else kept.title  # the words are the first question's
        note = _note(shown, before=len(shown.stored) - len(turns))
        record = _joined(title, records, note) if records else conversation_record(title, [], note=note)
        self.size = sum(map(len, record))
        return record

    def _turn(self, stored: StoredResponse, shown: Snapshot) -> Record:
        key = stored.response.id
        if key not in self._turns:
            row = shown.rows.get(key)
            rows = [] if row is None else [row]
            self._turns[key] = conversation_record(None, [stored], rows=rows, seconds=shown.seconds)
        return self._turns[key]


def _newest(stored: Sequence[StoredResponse], room: int, *, least: bool) -> list[StoredResponse]:
    """Return so many of the last turns as there is room for, one at `least`; what is too long in them is cut."""
    turns: list[StoredResponse] = []
    for each in map(_shortened, reversed(stored)):
        room -= _size(each)
        if room < 0 and (turns or not least):
            break
        turns.append(each)
    return turns[::-1]


def _size(turn: StoredResponse) -> int:
    return len(msgspec.json.encode((turn.input, turn.response.output)))


def _note(shown: Snapshot, *, before: int) -> str:
    notes = []
    if before and shown.conversation is not None:
        notes.append(f"{before:,} earlier turns aren't kept here. To see them: %agent history {shown.conversation.id}")
    if shown.loose is not None:
        notes.append(f"Not answered: {shown.loose.question.text[:500]} ({shown.loose.note or 'stopped'})")
    return " ".join(notes)


def _joined(title: str | None, records: Sequence[Record], note: str) -> Record:
    """Return the turns' records as one, laid out as `conversation_record` does."""
    head = Record("", "", "")
    if title:
        head = Record(clean(f"<p><strong>{escape(title)}</strong></p>"), f"**{literal(title)}**", title)
    foot = Record("", "", "")
    if note:
        foot = Record(clean(f'<p class="ab-note"><em>{escape(note)}</em></p>'), f"*{literal(note)}*", f"({note})")
    every = [each for each in (head, *records, foot) if each.plain]
    html = "<hr>".join(each.html for each in every[: len(every) - bool(note)]) + foot.html
    markdown = "\n\n---\n\n".join(each.markdown for each in every)
    return Record(html, markdown, "\n\n".join(each.plain for each in every))


def _shortened(stored: StoredResponse) -> StoredResponse:
    calls = {item.call_id: item for item in stored.response.output if isinstance(item, FunctionCall)}
    output = tuple(_short_output(item, calls) for item in stored.response.output)
    response = msgspec.structs.replace(stored.response, output=output)
    return msgspec.structs.replace(stored, input=tuple(map(_short, stored.input)), response=response)


def _short_output(item: Item, calls: Mapping[str, FunctionCall]) -> Item:
    """Return an item of an answer with what is too long cut; of a search each passage, so that it stays JSON."""
    if isinstance(item, FunctionCallOutput) and item.call_id in calls and is_search(calls[item.call_id]):
        return shortened(calls[item.call_id], item, LONGEST_PASSAGE)
    return _short(item)


def _short(item: AnyItem) -> AnyItem:
    """Return an item with what is too long for a notebook cut."""
    match item:
        case Message():
            return msgspec.structs.replace(item, content=tuple(map(_short_part, item.content)))
        case FunctionCall() if len(item.arguments) > LONGEST_RESULT:
            return msgspec.structs.replace(item, arguments=_cut(item.arguments, LONGEST_RESULT))
        case FunctionCallOutput(output=str() as text):
            return msgspec.structs.replace(item, output=_cut(text, LONGEST_RESULT))
        case FunctionCallOutput():
            return msgspec.structs.replace(item, output=tuple(map(_short_part, item.output)))
    return item


def _short_part(part: Part) -> Part:
    match part:
        case OutputText() | InputText():
            return msgspec.structs.replace(part, text=_cut(part.text, LONGEST_TEXT))
        case InputImage(image_url=str() as address) if len(address) > _LONGEST_IMAGE:
            return msgspec.structs.replace(part, image_url="too large to be kept here")
    return part


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n… {note_of_cut(text, limit)}"
