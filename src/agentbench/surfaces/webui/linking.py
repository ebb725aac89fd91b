"""Putting files into a collection, each by itself: what can be added is, and for the rest there is a reason."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import InvalidRequest, PermissionDenied, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentbench.retrieval.library import Library, Linked
    from agentbench.storage.grants import Reader

__all__ = ["Outcome", "answered_400", "link_each", "require_linked"]

_NOT_PROCESSED = (
    "Extracted content is not available for this file. Please ensure that the file is processed before proceeding."
)


class Outcome(NamedTuple):
    """The files that are in the collection now, and why others aren't."""

    linked: list[str]
    refused: dict[str, str]


async def link_each(
    library: Library, reader: Reader, collection: str, file_ids: Iterable[str], *, wait: float
) -> Outcome:
    """Put files into a collection; those that are still processed are waited for, `wait` seconds at most."""
    known, refused = [], {}
    for file_id in dict.fromkeys(file_ids):
        try:
            known.append((await library.file(reader, file_id)).id)
        except UnknownName as error:
            refused[file_id] = error.message
    linked = await library.link(reader, collection, known, wait=wait)
    refused |= {each.file.id: _reason(each) for each in linked if each.status == "refused"}
    return Outcome([each.file.id for each in linked if each.status != "refused"], refused)


def require_linked(outcome: Outcome) -> None:
    """Raise `InvalidRequest` with the reason if a file was refused."""
    for reason in outcome.refused.values():
        raise InvalidRequest(reason, param="file_id")


@contextmanager
def answered_400() -> Iterator[None]:
    """Answer 400 where something isn't there, or isn't the caller's to change, as clients know it of these routes."""
    try:
        yield
    except (UnknownName, PermissionDenied) as error:
        raise InvalidRequest(error.message, param=error.param) from None


def _reason(linked: Linked) -> str:
    reason = linked.reason or "It was refused."
    return f"{_NOT_PROCESSED} {reason}" if linked.file.status in ("stored", "pending", "processing") else reason
