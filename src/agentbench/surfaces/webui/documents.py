"""The `files` of a chat as documents to look into, and the `sources` of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.runner.documents import Document
from agentbench.surfaces.webui.base import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentbench.runner.documents import Passage, Source

__all__ = ["documents_of", "sources_body"]

_MOST = 100
_FILE_COLLECTION = "file-"
"""What the name of the collection that a file is by itself begins with."""


def documents_of(files: Any) -> tuple[Document, ...]:
    """Return what `files` names, each once; raises `Malformed` for an item that can't be looked into."""
    if files is None:
        return ()
    if not isinstance(files, list):
        raise Malformed("Expected `array`", ("body", "files"))
    if len(files) > _MOST:
        raise Malformed(f"Expected {_MOST} items at most", ("body", "files"))
    once: dict[bytes, int] = {}
    for number, item in enumerate(files):
        once.setdefault(msgspec.json.encode(item, order="sorted"), number)
    return tuple(document for number in once.values() for document in _documents(files[number], number))


def _documents(item: Any, number: int) -> Iterator[Document]:
    place = ("body", "files", number)
    if not isinstance(item, dict):
        raise Malformed("Expected `object`", place)
    kind, names = item.get("type"), _collections(item)
    whole = item.get("context") == "full"
    shared: dict[str, Any] = {"name": _text(item, "name"), "given": item}
    if kind in (None, "doc", "docs", "file", "collection") and names and (item.get("legacy") or not _text(item, "id")):
        for name in names:
            own = name.startswith(_FILE_COLLECTION)
            where = name.removeprefix(_FILE_COLLECTION) if own else name
            yield Document(kind="file" if own else "collection", id=where, whole=whole, **shared)
    elif kind in ("file", "collection"):
        yield Document(kind=kind, id=_needed(item, "id", place), whole=whole, **shared)
    elif kind == "text":
        yield Document(kind="text", content=_needed(item, "content", place), whole=True, **shared)
    elif kind == "url":
        yield Document(kind="url", url=_needed(item, "url", place), whole=whole, **shared)
    else:
        known = "file, collection, text or url"
        raise Malformed(f"Files of type {kind!r} are not read here. Send a {known}.", (*place, "type"))


def _collections(item: dict[str, Any]) -> list[str]:
    """Return the collections that an item names in the ways of older clients."""
    if item.get("legacy") and (own := _text(item, "id")):
        return [own]
    several = item.get("collection_names")
    names = several if isinstance(several, list) else [item.get("collection_name")]
    return [name for name in names if isinstance(name, str) and name]


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) and value else None


def _needed(item: dict[str, Any], key: str, place: tuple[str | int, ...]) -> str:
    value = _text(item, key)
    if value is None:
        raise Malformed("Field required", (*place, key), "missing")
    return value


def sources_body(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """Return what was looked into, each item with its passages, under the names that Open WebUI gives.

    `distances` are similarities, a passage each; where a text was read as a whole there are none.
    """
    return [_source(each) for each in sources]


def _source(source: Source) -> dict[str, Any]:
    passages = source.passages
    body: dict[str, Any] = {
        "source": source.given,
        "document": [passage.text for passage in passages],
        "metadata": [_metadata(passage) for passage in passages],
    }
    if not passages or any(passage.similarity is not None for passage in passages):
        body["distances"] = [passage.similarity or 0.0 for passage in passages]
    return body


def _metadata(passage: Passage) -> dict[str, Any]:
    """Return where a passage is from; `citation` is the number by which the answer cites it, `page` counts from 1."""
    told = {
        "source": passage.name,
        "name": passage.name,
        "file_id": passage.file,
        "url": passage.url,
        "page": passage.page,
        "heading": passage.heading,
        "start_index": passage.start,
        "end_index": passage.end,
        "citation": passage.n,
        "score": passage.score,
        "vector_rank": passage.vector_rank,
        "text_rank": passage.text_rank,
    }
    return {key: value for key, value in told.items() if value is not None}
