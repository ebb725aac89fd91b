"""What an answer rests on, for readers: the search that was made, its passages, and which of them the answer cites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agentbench.protocol.content import OutputText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.protocol.values import Value
from agentbench.runner.citations import link
from agentbench.runner.documents import Passage, is_search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentbench.protocol import InputItem
    from agentbench.protocol.content import UrlCitation

__all__ = [
    "LONGEST_PASSAGE",
    "Cited",
    "Search",
    "cited_by",
    "cut",
    "line_of",
    "search_of",
    "searches_of",
    "shortened",
    "title_of",
]

_NUMBER = re.compile(r"[0-9]{1,4}")
LONGEST_PASSAGE = 2_000
"""Characters of a passage that are shown beside the answer."""

_NAMED = 3
"""Documents that a line names; the rest it counts."""


class Asked(Value, frozen=True, kw_only=True):
    """The arguments of a search; `ids` are those of the stored files and collections, and the pages' addresses."""

    queries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


class Search(Asked, frozen=True, kw_only=True):
    """A search as the answer shows it; `searched` passages were looked at, in so many `seconds`."""

    searched: int = 0
    seconds: float = 0.0
    passages: tuple[Passage, ...] = ()


class Cited(NamedTuple):
    """What an answer cites: the numbers of its passages, and what else a model named as its source, with the words."""

    numbers: frozenset[int]
    others: tuple[tuple[UrlCitation, str], ...]


def search_of(call: FunctionCall, result: FunctionCallOutput | None) -> Search | None:
    """Return the search that a step shows; None for the call of a tool, and for what can't be read."""
    if not is_search(call):
        return None
    found = result.output if result is not None and isinstance(result.output, str) else "{}"
    try:
        asked = msgspec.json.decode(call.arguments or "{}", type=Asked)
        return msgspec.structs.replace(msgspec.json.decode(found, type=Search), **msgspec.structs.asdict(asked))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def searches_of(items: Iterable[InputItem]) -> dict[str, Search]:
    """Return the searches among items, by `call_id`."""
    kept = list(items)
    results = {item.call_id: item for item in kept if isinstance(item, FunctionCallOutput)}
    calls = [item for item in kept if isinstance(item, FunctionCall)]
    found = {call.call_id: search_of(call, results.get(call.call_id)) for call in calls}
    return {call_id: search for call_id, search in found.items() if search is not None}


def cited_by(items: Iterable[InputItem], searches: Mapping[str, Search]) -> Cited:
    """Return what an answer cites."""
    passages = {passage.n: passage for search in searches.values() for passage in search.passages}
    numbers, others = set(), []
    for cited, words in _citations(items):
        number = _NUMBER.search(words)
        passage = passages.get(int(number[0])) if number else None
        if passage is not None and link(passage) == cited.url:
            numbers.add(passage.n)
        else:
            others.append((cited, words))
    return Cited(frozenset(numbers), tuple(others))


def line_of(search: Search) -> str:
    """Return a search in one line."""
    names = [*search.collections, *search.files]
    several = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    if search.passages and not search.searched:
        return f"Read {several or 'the documents'} as a whole"
    within = f" of {several}" if several else ""
    took = f"{search.seconds:.1f} s" if search.seconds >= 1 else f"{search.seconds * 1000:.0f} ms"
    return f"Searched {search.searched:,} passage{'s' * (search.searched != 1)}{within} in {took}"


def title_of(passage: Passage) -> str:
    """Return where a passage is from, in one line: its file, page and heading."""
    page = "" if passage.page is None else f", page {passage.page}"
    heading = " ".join((passage.heading or "").split())
    return f"{' '.join(passage.name.split())}{page}{f' · {heading}' if heading else ''}"


def shortened(call: FunctionCall, result: FunctionCallOutput, longest: int) -> FunctionCallOutput:
    """Return the result of a search with at most so many characters of each passage."""
    search = search_of(call, result)
    if search is None:
        return result
    passages = [msgspec.structs.replace(each, text=cut(each.text, longest)) for each in search.passages]
    found = {"searched": search.searched, "seconds": search.seconds, "passages": passages}
    return msgspec.structs.replace(result, output=msgspec.json.encode(found).decode())


def cut(text: str, longest: int) -> str:
    """Return so many characters of a text at most, with a sign that there are more."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def _citations(items: Iterable[InputItem]) -> Iterator[tuple[UrlCitation, str]]:
    for item in items:
        for part in item.content if isinstance(item, Message) else ():
            for cited in part.annotations if isinstance(part, OutputText) else ():
                yield cited, part.text[cited.start_index : cited.end_index] if isinstance(part, OutputText) else ""
