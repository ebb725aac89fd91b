"""Which recorded exchange answers a request: one that is the same, or the same but for ids and moments."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeVar

import msgspec

from agentbench.errors import CassetteMiss
from agentbench.providers.cassettes.difference import asked_about, difference, differences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.providers.cassettes.exchange import Exchange, Request

__all__ = ["Shelf", "without_today"]

T = TypeVar("T")

_ID = re.compile(
    r"""\b(?:
      [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}
    | (?!asst_)[a-z]{2,12}[-_](?=[A-Za-z]*\d)[A-Za-z0-9]{16,}
    | call_(?=[a-z]*\d)[a-z0-9]{8}
    | tooluse_[\w-]{16,}
    )\b""",
    re.VERBOSE,
)
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z\b|[+-]\d\d:?\d\d)?")
_DAY = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])")
_TODAY = "<today>"
_COMPARED = 2000  # characters of a request's end


def without_today(value: T) -> T:
    """Return JSON in which today's date, anywhere on earth, is a mark: a prompt that tells it is the same tomorrow."""
    text = msgspec.json.encode(value).decode()
    now = datetime.now(UTC).date()
    near = {(now + timedelta(days=days)).isoformat() for days in (-1, 0, 1)}
    if not any(day in text for day in near):
        return value
    return msgspec.json.decode(_DAY.sub(lambda match: _TODAY if match[0] in near else match[0], text), type=type(value))


def exact(request: Request) -> str:
    """Return a request as one text; the order of keys doesn't count."""
    return msgspec.json.encode(request, order="deterministic").decode()


def canonical(request: Request) -> str:
    """Return a request as one text in which ids are numbered as they first appear, and moments are all one."""
    numbers: dict[str, str] = {}
    text = _MOMENT.sub("<moment>", exact(request))
    return _ID.sub(lambda match: numbers.setdefault(match[0], f"<id {len(numbers) + 1}>"), text)


class Shelf:
    """The recorded exchanges, as they are found. Repeats are played in their order, then from the first again."""

    def __init__(self, exchanges: Iterable[Exchange] = ()) -> None:
        self._all = list(exchanges)
        self._exact: dict[str, list[Exchange]] = defaultdict(list)
        self._alike: dict[str, list[Exchange]] = defaultdict(list)
        self._next: dict[str, int] = defaultdict(int)
        for each in self._all:
            self._exact[exact(each.request)].append(each)
            self._alike[canonical(each.request)].append(each)

    def __len__(self) -> int:
        return len(self._all)

    def find(self, request: Request) -> Exchange | None:
        """Return what answers the request this time, if anything does."""
        if not self._all:
            return None
        for shelf, key in ((self._exact, exact(request)), (self._alike, canonical(request))):
            if found := shelf.get(key):
                place = self._next[key]
                self._next[key] = place + 1
                return found[place % len(found)]
        return None

    def miss(self, request: Request, cassette: str) -> CassetteMiss:
        """Return the error that tells what was asked, and how the nearest that is here differs."""
        told = difference(self._nearest(request), request)
        name = request.name if request.kind == "http" else ""
        return CassetteMiss(f"{cassette} holds no such request: {asked_about(request)}. {told}", endpoint=name)

    def _nearest(self, request: Request) -> Request | None:
        """Return the recorded request that looks most like one: the same address first, then the fewest differences."""
        known = {exact(each.request): each.request for each in self._all if each.request.kind == request.kind}
        same = [each for each in known.values() if (each.name, each.path) == (request.name, request.path)]
        distances = [(sum(1 for _ in differences(each, request)), each) for each in same or known.values()]
        least = min((count for count, _ in distances), default=0)
        text = exact(request)[-_COMPARED:]
        return max(
            (each for count, each in distances if count == least),
            key=lambda each: SequenceMatcher(None, exact(each)[-_COMPARED:], text).quick_ratio(),
            default=None,
        )
