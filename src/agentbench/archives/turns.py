"""From a tree of messages to turns: each answer with what was asked for it, and the turn that it follows.

A tree may be broken: a message may follow one that isn't there, or itself. Nothing here is recursive.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from agentbench.archives.values import Archived, Said, Talk, derived
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.protocol.response import IncompleteDetails, Response, ResponseError
from agentbench.protocol.values import new_id
from agentbench.storage.conversations import Conversation
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.protocol.items import Item

__all__ = ["archived", "clean_title"]

_ANSWERING = ("assistant", "tool")
_LONGEST_TITLE = 200
_WORDS_OF_TITLE = 60
_INSTANT = timedelta(milliseconds=1)


def archived(talk: Talk, user: str) -> Archived:
    """Return a conversation of another program's as it is stored here; its ids are always the same."""
    tree = _Tree(talk.said)
    begun = talk.begun or min((each.at for each in talk.said if each.at), default=datetime.now(UTC))
    key = derived("conv", user, talk.program, talk.key)
    empty = Conversation(id=key, user=user, agent=talk.agent, created_at=begun, updated_at=talk.used or begun)
    turns: list[StoredResponse] = []
    for group in tree.groups:
        turns.append(_turn(talk, group, None if group.parent is None else turns[group.parent], empty))
    head = tree.head(talk.current, [_goes_on(each.response) for each in turns])
    title = clean_title(talk.title)
    named = title or _first_words(turns)
    conversation = replace(
        empty,
        title=named,
        titled_by="person" if title else "words" if named else None,
        head=None if head is None else turns[head].response.id,
        updated_at=talk.used or max((each.created_at for each in turns), default=begun),
    )
    return Archived(conversation=conversation, turns=tuple(turns), notes=(*talk.notes, *tree.notes))


def clean_title(raw: str | None) -> str | None:
    """Return a title on one line, of a length that lists can show; None for an empty one."""
    shown = "".join(sign if sign.isprintable() else " " for sign in raw or "")
    return " ".join(shown.split())[:_LONGEST_TITLE] or None


class _Group(NamedTuple):
    """What makes a turn: what was asked, what came, and the place of the turn before it."""

    asked: list[Said]
    came: list[Said]
    parent: int | None


class _Tree:
    """The messages, and the turns that they make."""

    def __init__(self, said: Sequence[Said]) -> None:
        self.notes: list[str] = []
        self.groups: list[_Group] = []
        self._group_of: dict[str, int] = {}
        self._messages = self._named(said)
        self._after: dict[str | None, list[str]] = defaultdict(list)
        for each in self._messages.values():
            self._after[each.parent].append(each.id)
        for key in self._order():
            self._place(self._messages[key])

    def head(self, current: str | None, goes_on: Sequence[bool]) -> int | None:
        """Return the turn that the conversation goes on from: the current message's, or the newest."""
        newest = sorted(range(len(self.groups)), key=lambda each: _time_of(self.groups[each], each), reverse=True)
        told = self._group_at(current)
        for place in newest if told is None else (told, *newest):
            if (found := self._answered(place, goes_on)) is not None:
                return found
        return None

    def _answered(self, place: int | None, goes_on: Sequence[bool]) -> int | None:
        """Return the nearest turn at or before one that a conversation can go on from."""
        while place is not None and not goes_on[place]:
            place = self.groups[place].parent
        return place

    def _group_at(self, key: str | None) -> int | None:
        """Return the turn that a message is in; what was asked belongs to what came before it."""
        while key is not None and key not in self._group_of:
            found = self._messages.get(key)
            key = None if found is None else found.parent
        return None if key is None else self._group_of[key]

    def _named(self, said: Sequence[Said]) -> dict[str, Said]:
        """Return the messages by ids of their own, none following one that isn't there."""
        found: dict[str, Said] = {}
        for place, each in enumerate(said):
            if each.id in found:
                self.notes.append("two messages of one id")
            key = f"{each.id} {place}" if each.id in found else each.id
            found[key] = replace(each, id=key)
        for each in list(found.values()):
            if each.parent is not None and each.parent not in found:
                self.notes.append("a message that follows one that is not there")
                found[each.id] = replace(each, parent=None)
        return found

    def _order(self) -> list[str]:
        """Return the messages, each after the one that it follows; a circle is cut at its first one."""
        order: list[str] = []
        seen: set[str] = set()
        for key in (*self._after.get(None, ()), *self._messages):
            if key in seen:
                continue
            if self._messages[key].parent is not None:
                self.notes.append("messages that follow each other in a circle")
                self._cut(key)
            below = [key]
            seen.add(key)
            for each in below:
                below += self._after.get(each, ())
                seen.update(self._after.get(each, ()))
            order += below
        return order

    def _cut(self, key: str) -> None:
        found = self._messages[key]
        self._after[found.parent].remove(key)
        self._after[None].append(key)
        self._messages[key] = replace(found, parent=None)

    def _place(self, each: Said) -> None:
        """Put a message into its turn."""
        answers = each.role in _ANSWERING
        if not answers and self._after.get(each.id):
            return  # what comes after it takes it in
        before = None if each.parent is None else self._messages[each.parent]
        if answers and before is not None and before.role in _ANSWERING and len(self._after[before.id]) == 1:
            self._group_of[each.id] = self._group_of[before.id]
            self.groups[self._group_of[each.id]].came.append(each)
            return
        asked, parent = self._asked(before)
        if not answers:
            self.notes.append("a question without an answer")
        self._group_of[each.id] = len(self.groups)
        self.groups.append(_Group(asked if answers else [*asked, each], [each] if answers else [], parent))

    def _asked(self, last: Said | None) -> tuple[list[Said], int | None]:
        """Return the questions up to this one, and the turn before them."""
        asked: list[Said] = []
        while last is not None and last.role not in _ANSWERING:
            asked.append(last)
            last = None if last.parent is None else self._messages[last.parent]
        return asked[::-1], None if last is None else self._group_of[last.id]


def _turn(talk: Talk, group: _Group, parent: StoredResponse | None, home: Conversation) -> StoredResponse:
    first = (group.came or group.asked[-1:])[0]
    told = first.at or (group.asked[-1].at if group.asked else None)
    at = told or (home.created_at if parent is None else parent.created_at + _INSTANT)
    before = None if parent is None else parent.response.id
    response = _response(talk, group, derived("resp", home.id, first.id), at)
    return StoredResponse(
        response=replace(response, previous_response_id=before),
        input=tuple(item for each in group.asked for item in each.items),
        user=home.user,
        conversation_id=home.id,
        parent=before,
        agent=home.agent,
        endpoint=talk.endpoint or talk.program,
        created_at=at,
    )


def _response(talk: Talk, group: _Group, key: str, at: datetime) -> Response:
    came = group.came
    if len(came) == 1 and came[0].response is not None:
        return replace(came[0].response, id=key)
    output = _paired([item for each in came for item in each.items])
    response = Response(
        id=key,
        created_at=int(at.timestamp()),
        status="completed",
        model=next((each.model for each in came if each.model), None) or talk.model or "unknown",
        output=tuple(output),
        tools=talk.tools,
        usage=next((each.usage for each in reversed(came) if each.usage), None),
    )
    error = next((each.error for each in came if each.error), None)
    if error is not None:
        return replace(response, status="failed", error=ResponseError(code="imported", message=error))
    reason = _stopped(group, output)
    if reason is not None:
        return replace(response, status="incomplete", incomplete_details=IncompleteDetails(reason=reason))
    return replace(response, completed_at=response.created_at)


def _stopped(group: _Group, output: Iterable[Item]) -> str | None:
    """Return why an answer isn't whole; a call that nobody answered can't be sent to a model again."""
    if not group.came:
        return "not_answered"
    calls = {item.call_id for item in output if isinstance(item, FunctionCall)}
    results = {item.call_id for item in output if isinstance(item, FunctionCallOutput)}
    told = next((each.stopped for each in group.came if each.stopped), None)
    return told or ("no_result_of_a_tool" if calls - results else None)


def _paired(items: Iterable[Item]) -> list[Item]:
    """Return items in which a call stands before every result."""
    known: set[str] = set()
    out: list[Item] = []
    for item in items:
        if isinstance(item, FunctionCall):
            known.add(item.call_id)
        elif isinstance(item, FunctionCallOutput) and item.call_id not in known:
            out.append(FunctionCall(id=new_id("fc"), call_id=item.call_id, name="tool", arguments="{}"))
        out.append(item)
    return out


def _time_of(group: _Group, place: int) -> tuple[float, int]:
    at = (group.came or group.asked)[-1].at
    return (at.timestamp() if at else 0.0, place)


def _goes_on(response: Response) -> bool:
    return bool(response.output) and response.status != "failed"


def _first_words(turns: Sequence[StoredResponse]) -> str | None:
    """Return the first words of the first question; where none has words, those of the first answer."""
    asked = [item.text for turn in turns for item in turn.input if isinstance(item, Message) and item.role == "user"]
    said = [turn.response.output_text for turn in turns]
    title = next((found for each in (*asked, *said) if (found := clean_title(each))), None)
    if title is None or len(title) <= _WORDS_OF_TITLE:
        return title
    return f"{title[:_WORDS_OF_TITLE].rsplit(' ', 1)[0]} …"
