"""Processing files, texts and web pages for search, each answered once it is done.

A text or page that can't be processed is taken away again, as nobody would know of it; an upload stays.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.values import Value
from agentbench.surfaces.base import json_response
from agentbench.surfaces.event_stream import while_connected
from agentbench.surfaces.webui.base import body_of, query_of
from agentbench.surfaces.webui.file_bodies import SCOPE
from agentbench.surfaces.webui.library import EMPTY, EVERY_KIND, every_file, library_of
from agentbench.surfaces.webui.linking import link_each, require_linked
from agentbench.surfaces.webui.retrieval_targets import target_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.retrieval.library import Library
    from agentbench.runner import Runner
    from agentbench.storage.collections import Collection
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

__all__ = [
    "BatchForm",
    "FileForm",
    "TextForm",
    "WebForm",
    "WebQuery",
    "process_batch",
    "process_file",
    "process_text",
    "process_web",
]

_LONGEST_NAME = 63


class FileForm(Value, frozen=True, kw_only=True):
    """A file; a text in place of the one that was read out of it; a collection to put it into."""

    file_id: str
    content: str | None = None
    collection_name: str | None = None


class TextForm(Value, frozen=True, kw_only=True):
    """A text, and the collection to put it into."""

    name: str
    content: str
    collection_name: str | None = None


class WebForm(Value, frozen=True, kw_only=True):
    """A web page, and the collection to put it into."""

    url: str
    collection_name: str | None = None


class WebQuery(Value, frozen=True, kw_only=True):
    """Whether the page is kept, and whether it takes the place of what was there."""

    process: bool = True
    overwrite: bool = True


class BatchFile(Value, frozen=True, kw_only=True):
    """A file as clients send it back; only its id counts."""

    id: str


class BatchForm(Value, frozen=True, kw_only=True):
    """Files, and the collection to put them into."""

    files: list[BatchFile]
    collection_name: str


async def process_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/process/file`: the first time, after a failure, or with another text."""
    given = await body_of(request, FileForm)
    library, reader = library_of(runner, principal)
    file = await library.file(reader, given.file_id)
    if given.content is not None:
        file = await library.set_text(reader, file.id, given.content)
    elif file.status in ("stored", "failed"):
        file = await library.process(reader, file.id)
    file = await _completed(request, library, reader, file)
    name = given.collection_name or SCOPE + file.id
    if name != SCOPE + file.id:
        outcome = await link_each(library, reader, (await target_of(library, reader, name)).id, [file.id], wait=0)
        require_linked(outcome)
    text = await library.text(reader, file.id)
    return json_response({"status": True, "collection_name": name, "filename": file.name, "content": text})


async def process_text(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/process/text`; the same text isn't put into a collection twice."""
    given = await body_of(request, TextForm)
    if not given.content.strip():
        raise InvalidRequest(EMPTY, param="content")
    library, reader = library_of(runner, principal)
    data = given.content.encode()
    digest = hashlib.sha256(data).hexdigest()
    name = given.collection_name or digest
    target = await target_of(library, reader, name)
    there = every_file(library, reader, collection=target.id, own=False, kinds=("text",))
    if digest not in [each.digest async for each in there]:
        file = await library.add(reader, given.name, data, content_type="text/plain", kind="text", collection=target.id)
        await _completed(request, library, reader, file)
    return json_response({"status": True, "collection_name": name, "content": given.content})


async def process_web(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/process/web` and `process/url`; with `process=false` the page is read, and not kept."""
    wanted, given = query_of(request, WebQuery), await body_of(request, WebForm)
    library, reader = library_of(runner, principal)
    name = given.collection_name or hashlib.sha256(given.url.encode()).hexdigest()[:_LONGEST_NAME]
    target = await target_of(library, reader, name) if wanted.process else None
    adding = library.add_page(reader, given.url, collection=target.id if target else None)
    file = await _completed(request, library, reader, await while_connected(request, adding))
    text = await library.text(reader, file.id)
    if target is None:
        await library.delete(reader, file.id)
    elif wanted.overwrite:
        await _clear(library, reader, target, file)
    told = {
        "status": True,
        "type": "web" if file.content_type == "text/html" else "file",
        "name": file.name,
        "url": given.url,
        "collection_name": name if target else None,
        "filename": given.url,
        "content": text,
        "file": {"data": {"content": text}, "meta": {"name": file.name, "source": given.url}},
    }
    return json_response(told)


async def process_batch(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/process/files/batch`: what can be added is, and each row says what became of its file."""
    given = await body_of(request, BatchForm)
    library, reader = library_of(runner, principal)
    target = await target_of(library, reader, given.collection_name)
    wait = runner.catalog.retrieval.wait_for_processing
    adding = link_each(library, reader, target.id, [each.id for each in given.files], wait=wait)
    outcome = await while_connected(request, adding)
    results = [{"file_id": each, "status": "completed", "error": None} for each in outcome.linked]
    errors = [{"file_id": each, "status": "failed", "error": reason} for each, reason in outcome.refused.items()]
    return json_response({"results": results, "errors": errors})


async def _completed(request: Request, library: Library, reader: Reader, file: StoredFile) -> StoredFile:
    """Wait for a file's end; raises `InvalidRequest` with the reason if that isn't a good one."""
    [file] = await while_connected(request, library.wait(reader, [file.id]))
    if file.status == "completed":
        return file
    if file.kind != "upload":
        await library.delete(reader, file.id)
    raise InvalidRequest(f"{file.name!r} can't be processed: {file.error}")


async def _clear(library: Library, reader: Reader, target: Collection, new: StoredFile) -> None:
    """Take away what a page takes the place of: what a client's own collection had, elsewhere the page as it was."""
    there = every_file(library, reader, collection=target.id, own=False, kinds=EVERY_KIND)
    older = [each async for each in there if (each.created_at, each.id) < (new.created_at, new.id)]
    for each in older:
        if target.kind == "knowledge" and each.url != new.url:
            continue
        with suppress(UnknownName):  # somebody else took it away
            if each.kind != "upload" and each.user == reader.user:
                await library.delete(reader, each.id)
            else:
                await library.unlink(reader, target.id, [each.id])
