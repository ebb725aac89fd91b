"""What was looked into for a turn, from its search: the documents, and a passage where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.notebook.sources import cut, searches_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol import Item
    from agentbench.runner.documents import Document
    from agentbench.workbench.library_view import LibraryView

__all__ = ["documents_of", "passage_of"]

_LONGEST = 20_000
_GONE = "The file has changed since, or isn't there any more: this is the passage as the model read it."


def documents_of(output: Iterable[Item], library: LibraryView, *, missing_ok: bool = False) -> tuple[Document, ...]:
    """Return what an answer rested on; raises `InvalidRequest` if something of it isn't there any more."""
    names = tuple(name for search in searches_of(output).values() for name in search.ids)
    known = library.known(names)
    if len(known) < len(names) and not missing_ok:
        raise InvalidRequest("A document that this was asked about isn't there any more. Ask it as a new question.")
    return known


def passage_of(output: Iterable[Item], number: int, library: LibraryView) -> dict[str, str]:
    """Return the passage of that number, what is before and after it, and a `note` where that isn't known."""
    every = (passage for search in searches_of(output).values() for passage in search.passages)
    passage = next((each for each in every if each.n == number), None)
    if passage is None:
        raise UnknownName("passage", str(number), ())
    alone = {"before": "", "text": cut(passage.text, _LONGEST), "after": ""}
    if passage.file is None:
        return alone | {"note": ""}
    found = library.surroundings(passage.file, passage.start, passage.end, passage.text)
    return alone | {"note": _GONE} if found is None else {**found._asdict(), "note": ""}
