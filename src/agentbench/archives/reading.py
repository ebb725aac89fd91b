"""Reads conversations out of a file: finds out whose format it is by what is in it, never by its name.

Nothing is lost in silence: an entry that can't be read is told with its place, and the others are read.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from agentbench.archives import archive, chat_messages, chatgpt, event_log, librechat, open_webui
from agentbench.archives.json_text import decode
from agentbench.archives.turns import archived
from agentbench.archives.unpacking import MOST_BYTES, Member, members
from agentbench.archives.values import Archived, Malformed, Problem, Talk, derived

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Read", "read"]

_UNKNOWN = "it is no conversation of a known format"
_NAMES = {
    "librechat": "LibreChat",
    "open-webui": "Open WebUI",
    "chatgpt": "ChatGPT",
    "openai": "messages of Chat Completions",
    "responses": "a log of Responses",
}


class _Format(NamedTuple):
    is_talk: Callable[[dict[str, Any]], bool]
    talk: Callable[[dict[str, Any]], Talk]


_FORMATS = (
    _Format(librechat.is_talk, librechat.talk),
    _Format(chatgpt.is_talk, chatgpt.talk),
    _Format(open_webui.is_talk, open_webui.talk),
    _Format(chat_messages.is_talk, chat_messages.talk),
)


class Read(NamedTuple):
    """What was in a file: its conversations, what could not be read, and the formats that it was in."""

    found: list[Archived]
    problems: list[Problem]
    formats: Counter[str]


def read(data: bytes | str, user: str, *, most: int = MOST_BYTES) -> Read:
    """Return the conversations of a file as that user's; raises `Malformed` if it is no file of conversations."""
    reader = _Reader(user)
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    for member in members(data, reader.read.problems, most=most):
        reader.take(member)
    if not reader.read.found and not reader.read.problems:
        raise Malformed("it holds no conversations")
    return reader.read


class _Reader:
    """Takes texts in, and remembers what came of them."""

    def __init__(self, user: str) -> None:
        self.read = Read([], [], Counter())
        self._user = user

    def take(self, member: Member) -> None:
        """Take a text of the file in."""
        self._try(partial(self._take_text, member.text, member.place), member.place)

    def _take_text(self, text: str, place: str) -> None:
        lines = text.lstrip().split("\n", 2)
        if lines[0].startswith(("data:", "event:", ":", "id:")):
            self._take_lines(text, place)
            return
        try:
            value = decode(text)
        except Malformed:
            if len([line for line in lines if line.strip()]) < 2 or not _is_whole(lines[0]):  # noqa: PLR2004 - lines are several
                raise
            self._take_lines(text, place)
            return
        self._take(value, place)

    def _take(self, value: Any, place: str) -> None:
        """Take a JSON value in: one conversation, or several."""
        if isinstance(value, list) and value and all(isinstance(each, dict) and "role" in each for each in value):
            self._take_entry({"messages": value}, place)
        elif isinstance(value, list) and any(isinstance(each, dict) and event_log.is_event(each) for each in value):
            self._take_log([each for each in value if isinstance(each, dict)], place)
        elif isinstance(value, list):
            for number, each in enumerate(value, 1):
                self._take_entry({"messages": each} if isinstance(each, list) else each, _at(place, "entry", number))
        elif isinstance(value, dict) and archive.is_archive(value):
            for number, each in enumerate(archive.entries(value), 1):
                self._try(partial(self._add_ours, each), _at(place, "conversation", number))
        else:
            self._take_entry(value, place)

    def _take_lines(self, text: str, place: str) -> None:
        """Take JSON lines in, or a server-sent stream: a conversation a line, or events."""
        log: list[dict[str, Any]] = []
        for number, line in enumerate(text.split("\n"), 1):
            told = line.removeprefix("data:").strip()
            if not told or told == "[DONE]" or line.startswith((":", "event:", "id:", "retry:")):
                continue
            at = _at(place, "line", number)
            self._try(partial(self._take_line, told, at, log), at)
        if log:
            self._take_log(log, place)

    def _take_line(self, line: str, place: str, log: list[dict[str, Any]]) -> None:
        value = decode(line)
        if isinstance(value, dict) and (event_log.is_event(value) or event_log.is_response(value)):
            log.append(value)
        else:
            self._take(value, place)

    def _take_log(self, objects: list[dict[str, Any]], place: str) -> None:
        for each in event_log.talks(objects):
            self._try(partial(self._add, each), place or "the log")

    def _take_entry(self, value: Any, place: str) -> None:
        if isinstance(value, dict) and (event_log.is_response(value) or event_log.is_event(value)):
            self._take_log([value], place)
        else:
            self._try(lambda: self._add(_talk(value)), place)

    def _try(self, take: Callable[[], None], place: str) -> None:
        """Take something in; where that fails, say so and go on."""
        try:
            take()
        except Malformed as error:
            if not place:
                raise
            self.read.problems.append(Problem(place=place, reason=str(error)))

    def _add(self, talk: Talk) -> None:
        if not talk.said:
            raise Malformed("it has no messages")
        if not talk.key:
            talk = _keyed(talk)
        self.read.found.append(archived(talk, self._user))
        self.read.formats[_NAMES[talk.program]] += 1

    def _add_ours(self, raw: Any) -> None:
        self.read.found.append(archive.archived(raw, self._user))
        self.read.formats["an archive of agentbench"] += 1


def _talk(value: Any) -> Talk:
    for each in _FORMATS:
        if isinstance(value, dict) and each.is_talk(value):
            return each.talk(value)
    raise Malformed(_UNKNOWN)


def _keyed(talk: Talk) -> Talk:
    """Return a conversation that its program gave no id with one that is made of what was said."""
    said = [f"{each.role} {getattr(item, 'text', '')}" for each in talk.said for item in each.items]
    return replace(talk, key=derived("messages", talk.title or "", *said))


def _at(place: str, kind: str, number: int) -> str:
    return f"{place}, {kind} {number}" if place else f"{kind} {number}"


def _is_whole(line: str) -> bool:
    """Tell whether a line is JSON of its own."""
    try:
        return isinstance(decode(line), dict | list)
    except Malformed:
        return False
