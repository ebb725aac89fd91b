"""A cassette's file: JSON Lines, a block of lines for each exchange. Nothing here reads or writes a disk.

    {"object": "agentbench.cassette", "version": 1}
    {"request": {"kind": "http", "name": "openAI", "method": "POST", "path": "/chat/completions", "body": {…}}}
    {"status": 200, "headers": {"content-type": "text/event-stream"}, "seconds": 0.41}
    {"seconds": 0.52, "text": "data: …"}
    {"end": "complete", "seconds": 0.93}

What a read brought is `text` where it is UTF-8, else `base64`; what isn't HTTP has `value`s instead. An answer that
broke ends with `{"end": {"error": "ReadError", "message": …}}`. Times are seconds since the request.
"""

from __future__ import annotations

import codecs
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.providers.cassettes.exchange import Ending, Exchange, Head, Piece, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FIRST_LINE", "Reading", "block", "read"]

_OBJECT = "agentbench.cassette"
_VERSION = 1
FIRST_LINE = msgspec.json.encode({"object": _OBJECT, "version": _VERSION}) + b"\n"


class _First(msgspec.Struct):
    object: str = ""
    version: int = 0


class _Line(msgspec.Struct):
    """Any line of a block."""

    request: Request | None = None
    status: int | None = None
    headers: dict[str, str] = {}
    seconds: float = 0.0
    text: str | None = None
    base64: str | None = None
    value: Any = msgspec.UNSET
    end: Ending | None = None


class Reading(NamedTuple):
    """What a file holds; `whole` is how many of its bytes, up to a block that was never finished."""

    exchanges: list[Exchange]
    whole: int


def block(exchange: Exchange) -> bytes:
    """Return an exchange as lines."""
    lines: list[dict[str, Any]] = [{"request": exchange.request}]
    if exchange.head is not None:
        lines.append(
            {"status": exchange.head.status, "headers": exchange.head.headers, "seconds": exchange.head.seconds}
        )
        lines += _written(exchange.pieces)
    else:
        lines += [{"seconds": piece.seconds, "value": piece.data} for piece in exchange.pieces]
    lines.append({"end": exchange.end, "seconds": exchange.seconds})
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _written(pieces: Sequence[Piece]) -> Iterator[dict[str, Any]]:
    """Yield what came as text, no character of which is cut; as base64 if it isn't UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        texts = [decoder.decode(piece.data) for piece in pieces]
    except UnicodeDecodeError:
        yield from ({"seconds": piece.seconds, "base64": b64encode(piece.data).decode()} for piece in pieces)
        return
    yield from ({"seconds": piece.seconds, "text": text} for piece, text in zip(pieces, texts, strict=True) if text)
    if rest := decoder.getstate()[0]:  # the answer broke in the middle of a character
        yield {"seconds": pieces[-1].seconds, "base64": b64encode(rest).decode()}


def read(data: bytes, name: str) -> Reading:
    """Return what a file of that name holds; raise `InvalidRequest` for what isn't a cassette, or one of the future."""
    first, _, _ = data.partition(b"\n")
    _check(first, name)
    exchanges: list[Exchange] = []
    whole = at = min(len(first) + 1, len(data))
    open_block: list[_Line] = []
    for number, written in enumerate(data[at:].splitlines(keepends=True), 2):
        at += len(written)
        if not written.endswith(b"\n"):  # the last line, cut off as it was written
            break
        try:
            line = msgspec.json.decode(written, type=_Line)
            _check_order(line, open_block)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            raise InvalidRequest(f"{name}, line {number}, is not a cassette's: {error}. Record it anew.") from None
        open_block.append(line)
        if line.end is not None:
            exchanges.append(_exchange(open_block))
            open_block, whole = [], at
    return Reading(exchanges, whole)


def _check(first: bytes, name: str) -> None:
    try:
        said = msgspec.json.decode(first, type=_First)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _First()
    if said.object != _OBJECT:
        raise InvalidRequest(f"{name} is not a cassette. Name another file.")
    if said.version > _VERSION:
        raise InvalidRequest(
            f"{name} is a cassette of version {said.version}, and this agentbench reads up to {_VERSION}. Update it."
        )


def _check_order(line: _Line, above: Sequence[_Line]) -> None:
    if (line.request is None) == (not above):
        raise ValueError("a block begins with its request" if not above else "the block above has no end")
    kinds = (line.request, line.status, line.text, line.base64, line.end)
    if sum(each is not None for each in kinds) + (line.value is not msgspec.UNSET) != 1:
        raise ValueError("it tells nothing, or two things")


def _exchange(lines: Sequence[_Line]) -> Exchange:
    head = next((Head(status=x.status, headers=x.headers, seconds=x.seconds) for x in lines if x.status), None)
    request, last = lines[0].request, lines[-1]
    assert request is not None and last.end is not None  # noqa: S101, PT018 - seen to while reading
    pieces = tuple(Piece(seconds=line.seconds, data=_data(line)) for line in lines[1:-1] if line.status is None)
    return Exchange(request=request, head=head, pieces=pieces, end=last.end, seconds=last.seconds)


def _data(line: _Line) -> Any:
    if line.text is not None:
        return line.text.encode()
    return line.value if line.base64 is None else b64decode(line.base64)
