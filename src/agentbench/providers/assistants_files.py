"""The files of one assistant upstream: what goes there with messages, and what is known of those it names."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from agentbench.errors import InvalidRequest, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.providers.assistants_api import Upstream
    from agentbench.providers.assistants_wire import Picture, Upload, WireMessage

__all__ = ["FileFacts", "KnownFiles", "as_bodies"]

_LARGEST = 5_000_000
"""Bytes of a picture that is shown."""
_SECONDS = 5.0
"""For what a stream waits for."""
_SIGNS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


class FileFacts:
    """What one session knows of the files that it has met; names come from `titles`, which outlives it."""

    def __init__(self, upstream: Upstream, titles: KnownFiles) -> None:
        self._upstream = upstream
        self._titles = titles
        self._pictures: dict[str, str] = {}

    def link(self, file_id: str) -> str:
        """Return where a file lies."""
        return self._upstream.link(file_id)

    def title(self, file_id: str) -> str:
        """Return what a file is called, or its id."""
        return self._titles.get(self._upstream.link(file_id)) or file_id

    def picture(self, file_id: str) -> str | None:
        """Return a picture as a `data:` URL; None if it isn't known to be one that can be shown."""
        return self._pictures.get(file_id)

    async def meet(self, data: bytes) -> None:
        """Learn of the files that a frame names, before it is told; what can't be learned is left out."""
        if b"file_id" not in data:
            return
        try:
            told = msgspec.json.decode(data)
        except msgspec.DecodeError:
            return
        for key, file_id in _named(told):
            with anyio.move_on_after(_SECONDS):
                await self._learn(key, file_id)

    async def _learn(self, key: str, file_id: str) -> None:
        link = self._upstream.link(file_id)
        try:
            if link not in self._titles:
                self._titles.add(link, await self._upstream.file_name(file_id))
            if key == "image_file" and file_id not in self._pictures:
                data = await self._upstream.content(file_id, _LARGEST)
                kind = next((kind for sign, kind in _SIGNS.items() if data.startswith(sign)), None)
                if kind is not None:
                    self._pictures[file_id] = f"data:{kind};base64,{b64encode(data).decode()}"
        except UpstreamError:
            self._titles.add(link, self._titles.get(link))


class KnownFiles(dict[str, "str | None"]):
    """Names of files by their addresses: the newest thousand."""

    def add(self, link: str, name: str | None) -> None:
        """Remember a name, or that there is none."""
        if len(self) >= 1000:  # noqa: PLR2004 - said above
            del self[next(iter(self))]
        self[link] = name


async def as_bodies(
    messages: Iterable[WireMessage], upstream: Upstream, tool_types: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return messages as the upstream takes them, their files uploaded for one of an assistant's types of tools."""
    return [await _body(each, upstream, tool_types) for each in messages]


async def _body(message: WireMessage, upstream: Upstream, tool_types: tuple[str, ...]) -> dict[str, Any]:
    parts = [await _part(part, upstream) for part in message.parts]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    plain = "\n\n".join(texts) if len(texts) == len(parts) else None
    role = message.role
    if upstream.is_first and role == "assistant":  # it knows messages of users only
        role, plain = "user", f"[You answered: {plain}]"
    body: dict[str, Any] = {"role": role, "content": parts if plain is None else plain or "(a file)"}
    if message.files:
        files = [await _uploaded(each, upstream, "assistants") for each in message.files]
        body |= {"file_ids": files} if upstream.is_first else {"attachments": _attached(files, upstream, tool_types)}
    return body


async def _part(part: str | Picture, upstream: Upstream) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part.source, str):
        return {"type": "image_url", "image_url": {"url": part.source, "detail": part.detail}}
    file_id = await _uploaded(part.source, upstream, "vision")
    return {"type": "image_file", "image_file": {"file_id": file_id, "detail": part.detail}}


async def _uploaded(file: Upload, upstream: Upstream, purpose: str) -> str:
    return await upstream.upload(file.name, file.data, file.kind, purpose)


def _attached(files: list[str], upstream: Upstream, tool_types: tuple[str, ...]) -> list[dict[str, Any]]:
    reader = next((each for each in ("file_search", "code_interpreter") if each in tool_types), None)
    if reader is None:
        name = upstream.endpoint.name
        raise InvalidRequest(f"This assistant of {name} has no tool that reads files. Send their text.", param="input")
    return [{"file_id": each, "tools": [{"type": reader}]} for each in files]


def _named(told: Any) -> list[tuple[str, str]]:
    """Return the files that a frame names, and under which key."""
    found: list[tuple[str, str]] = []
    if isinstance(told, list):
        for each in told:
            found += _named(each)
    elif isinstance(told, dict):
        for key, value in told.items():
            file_id = value.get("file_id") if isinstance(value, dict) else None
            if key in ("image_file", "file_citation", "file_path") and isinstance(file_id, str):
                found.append((key, file_id))
            else:
                found += _named(value)
    return found
