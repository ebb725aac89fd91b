"""Takes secrets out of an answer's bytes: in the JSON of its events, lines and messages, across all borders."""

from __future__ import annotations

import re
from functools import partial
from itertools import accumulate, pairwise
from struct import pack, unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentbench.providers.cassettes.hiding import Hiding

__all__ = ["hidden_bytes"]

_AWS_EVENTS = "application/vnd.amazon.eventstream"
_LINE = re.compile(rb"(?:\xef\xbb\xbf)?(?:data:)?[ \t]*([^\r\n]+)")
_PRELUDE, _CHECKSUM = 12, 4  # bytes


class _Frame(NamedTuple):
    """A stretch of bytes with JSON in it; `form` makes the bytes anew from other JSON."""

    start: int
    end: int
    value: Any
    form: Callable[[bytes], bytes]


class _Edit(NamedTuple):
    start: int
    end: int
    new: bytes


def hidden_bytes(chunks: Sequence[bytes], content_type: str, hiding: Hiding) -> list[bytes]:
    """Return the chunks without secrets: the same ones if there were none, else cut at the corresponding places."""
    data = b"".join(chunks)
    is_aws = content_type.startswith(_AWS_EVENTS)
    whole = None if is_aws else _json(data)
    frames = (
        [_Frame(0, len(data), whole, bytes)] if whole is not None else list((_messages if is_aws else _lines)(data))
    )
    values = [frame.value for frame in frames]
    edits = [
        _Edit(frame.start, frame.end, frame.form(msgspec.json.encode(new)))
        for frame, old, new in zip(frames, values, hiding.stream(values), strict=True)
        if new is not old
    ]
    edits += _raw(data, frames, hiding)
    return _edited(data, list(chunks), sorted(edits)) if edits else list(chunks)


def _json(data: bytes) -> Any:
    """Return the object or list that bytes are; None for all else."""
    if not data.lstrip().startswith((b"{", b"[")):
        return None
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _lines(data: bytes) -> Iterator[_Frame]:
    """Yield the JSON of server-sent events, and of lines that are JSON."""
    for match in _LINE.finditer(data):
        value = _json(match[1])
        if value is not None:
            yield _Frame(*match.span(1), value, bytes)


def _messages(data: bytes) -> Iterator[_Frame]:
    """Yield the JSON of AWS's binary messages: lengths, their checksum, headers, payload, checksum of all."""
    at = 0
    while at + _PRELUDE + _CHECKSUM <= len(data):
        total, size = unpack_from(">II", data, at)
        begin, end = at + _PRELUDE + size, at + total - _CHECKSUM
        if not begin <= end <= len(data) - _CHECKSUM:
            return
        value = _json(data[begin:end])
        if value is not None:
            headers = data[at + _PRELUDE : begin]
            yield _Frame(at, at + total, value, partial(_message, headers))
        at += total


def _message(headers: bytes, payload: bytes) -> bytes:
    prelude = pack(">II", _PRELUDE + len(headers) + len(payload) + _CHECKSUM, len(headers))
    body = prelude + pack(">I", crc32(prelude)) + headers + payload
    return body + pack(">I", crc32(body))


def _raw(data: bytes, frames: Sequence[_Frame], hiding: Hiding) -> Iterator[_Edit]:
    """Yield what changes between the frames."""
    ends = [0, *(frame.end for frame in frames)]
    starts = [*(frame.start for frame in frames), len(data)]
    for start, end in zip(ends, starts, strict=True):
        raw = data[start:end]
        text = raw.decode("utf-8", "surrogateescape")
        if (new := hiding.text(text)) != text:
            yield _Edit(start, end, new.encode("utf-8", "surrogateescape"))


def _edited(data: bytes, chunks: list[bytes], edits: Sequence[_Edit]) -> list[bytes]:
    """Return edited bytes, cut where the chunks were; a cut within an edit stays as far from its beginning."""
    cuts = list(accumulate(map(len, chunks), initial=0))
    parts, moved, at, shift = [], [], 0, 0
    for edit in (*edits, _Edit(len(data), len(data) + 1, b"")):
        parts += [data[at : edit.start], edit.new]
        while cuts and cuts[0] < edit.end:
            within = cuts.pop(0) - edit.start
            moved.append(edit.start + shift + min(within, len(edit.new)))
        at, shift = edit.end, shift + len(edit.new) - (edit.end - edit.start)
    new = b"".join(parts)
    return [new[start:end] for start, end in pairwise(moved)]
