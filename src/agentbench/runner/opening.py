"""The documents of a turn, made ready: each is there, the caller may read it, and it was processed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.retrieval.sharing import why_not_ready
from agentbench.retrieval.values import Extracted
from agentbench.retrieval.watching import ANYONE
from agentbench.runner.documents import reader_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.library import Library
    from agentbench.runner.documents import Document
    from agentbench.storage.grants import Reader

__all__ = ["Opened", "opened"]

_MOST = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that is ready: stored `files`, a `collection`, or else the text itself. `place` counts from 0.

    `owner`, `top_k` and `threshold` are as the document has them.
    """

    place: int
    name: str
    whole: bool
    files: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    extracted: Extracted | None = None
    url: str | None = None
    owner: str | None = None
    top_k: int | None = None
    threshold: float | None = None


async def opened(
    library: Library, reader: Reader, documents: Sequence[Document], settings: RetrievalSettings
) -> list[Opened]:
    """Return the documents, each once, as soon as they are ready.

    Raises `UnknownName` for one that the reader can't read, and `InvalidRequest` for one that failed, wasn't processed
    or isn't ready within `wait_for_processing`, for a page that can't be fetched, and for more than 100 of them.
    """
    if len(documents) > _MOST:
        message = f"An answer can rest on {_MOST} documents, not on {len(documents)}. Put them into a collection."
        raise InvalidRequest(message, param="files")
    found: dict[object, Opened] = {}
    for place, document in enumerate(documents):
        made = await _opened(library, reader_for(document.owner, reader), place, document, settings)
        made = replace(made, owner=document.owner, top_k=document.top_k, threshold=document.threshold)
        key = (made.files, made.collections, made.url, made.extracted if made.url is None else None)
        first = found.get(key, made)
        found[key] = replace(first, whole=first.whole or made.whole)
    await _wait(library, reader, list(found.values()), settings.wait_for_processing)
    return list(found.values())


async def _opened(
    library: Library, reader: Reader, place: int, document: Document, settings: RetrievalSettings
) -> Opened:
    name = document.name
    match document.kind:
        case "file":
            file = await library.file(reader, document.id)
            return Opened(place, name or file.name, document.whole, files=(file.id,))
        case "collection":
            collection = await library.collection(reader, document.id)
            return Opened(place, name or collection.name, document.whole, collections=(collection.id,))
        case "text":
            if not document.content.strip():
                raise InvalidRequest("A text to look into is empty. Send its `content`.", param="files")
            extracted = Extracted(text=document.content)
            return Opened(place, name or "text", document.whole, extracted=extracted)
        case "url":
            extracted, address = await _page(document.url, settings)
            return Opened(place, name or extracted.title or address, document.whole, extracted=extracted, url=address)


async def _page(url: str, settings: RetrievalSettings) -> tuple[Extracted, str]:
    """Return a web page's text, and its address after redirects."""
    from agentbench.retrieval.extraction import extract
    from agentbench.retrieval.web import fetch_page

    page = await fetch_page(url, settings)
    extracted = await extract(
        page.data,
        page.name,
        page.content_type,
        seconds=settings.extraction_time,
        memory=settings.extraction_memory,
    )
    if not extracted.text.strip():
        raise InvalidRequest(f"The page {page.name!r} has no text to read.", param="files")
    return msgspec.structs.replace(extracted, title=extracted.title or page.name), page.url


async def _wait(library: Library, reader: Reader, documents: Sequence[Opened], seconds: float) -> None:
    wanted = {file: True for document in documents for file in document.files}
    for document in documents:
        for collection in document.collections:
            unfinished = await library.unfinished(reader_for(document.owner, reader), collection)
            wanted = dict.fromkeys(unfinished, document.owner is None) | wanted
    for file in await library.wait(ANYONE, wanted, within=seconds) if wanted else ():
        # The caller can't do anything about a file of somebody else's that failed; the others are there.
        if (reason := why_not_ready(file)) is not None and (wanted[file.id] or file.status != "failed"):
            raise InvalidRequest(reason, param="files")
