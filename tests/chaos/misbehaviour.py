"""What the chaos upstream does in place of a good answer: one small coroutine a fault, in one table."""

from __future__ import annotations

import asyncio
import zlib
from functools import cache
from typing import TYPE_CHECKING

from tests.chaos.garbage import GARBAGE
from tests.chaos.wires import chunk, events, head, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.upstream import Talk

__all__ = ["MISBEHAVIOUR", "WAITS"]

_CHUNKED = "transfer-encoding: chunked"
_BLOCK = 2**16
_STEP = 0.02
"""Seconds between the bytes of a slow loris that somebody waits for."""

WAITS: dict[str, str | None] = {
    "none": None,
    "zero": "0",
    "short": "0.1",
    "past": "Wed, 21 Oct 2015 07:28:00 GMT",
    "far": "Fri, 31 Dec 9999 23:59:59 GMT",
    "negative": "-5",
    "huge": "99999999999",
    "nan": "nan",
    "infinite": "inf",
    "overflow": "1e309",
    "words": "soon",
    "empty": "",
    "baddate": "Wed, 99 Foo 20155 77:88:99 GMT",
}
"""What `retry-after` says."""


# -- cut off -----------------------------------------------------------------------------------------------------------


async def _good(talk: Talk) -> None:
    await talk.answer()


async def _reset(talk: Talk) -> None:
    await talk.send(whole(talk.wire)[: talk.number])
    talk.reset()


async def _fin(talk: Talk) -> None:
    await talk.send(whole(talk.wire)[: talk.number])
    talk.close()


async def _half(talk: Talk) -> None:
    """Close this side alone, and stay."""
    await talk.send(whole(talk.wire)[: talk.number])
    talk.writer.write_eof()
    await talk.left()


async def _short(talk: Talk) -> None:
    """Promise a length, and keep a part of it."""
    body = b"".join(events(talk.wire))
    await talk.send(head(talk.wire, f"content-length: {len(body)}") + body[: talk.number])
    talk.close()


async def _bare(talk: Talk) -> None:
    """Let the connection's end be the answer's."""
    body = b"".join(events(talk.wire))
    await talk.send(head(talk.wire, "connection: close") + body[: talk.number])
    talk.close()


async def _bytewise(talk: Talk) -> None:
    """Answer well, in segments of one byte."""
    data = whole(talk.wire)
    for at in range(len(data)):
        await talk.send(data[at : at + 1])
        if not at % 16:
            await asyncio.sleep(0)


# -- slow --------------------------------------------------------------------------------------------------------------


async def _mute(talk: Talk) -> None:
    """Say so many bytes, then nothing."""
    await talk.send(whole(talk.wire)[: talk.number])
    await talk.left()


async def _late(talk: Talk) -> None:
    """Pause so many tenths of a second before the head, and again within the body."""
    data, seconds = whole(talk.wire), talk.number / 10
    await asyncio.sleep(seconds)
    middle = len(data) // 2
    await talk.send(data[:middle])
    await asyncio.sleep(seconds)
    await talk.send(data[middle:])


async def _loris(talk: Talk) -> None:
    """Send a byte every so many milliseconds, from the head on."""
    for byte in whole(talk.wire):
        await talk.send(bytes([byte]))
        await asyncio.sleep(talk.number / 1000)


async def _loris_body(talk: Talk) -> None:
    await talk.send(head(talk.wire, _CHUNKED))
    for byte in b"".join(events(talk.wire)):
        await talk.send(chunk(bytes([byte])))
        await asyncio.sleep(talk.number / 1000)


# -- without an end ----------------------------------------------------------------------------------------------------


async def _for_ever(talk: Talk, block: bytes, *, first: bytes = b"") -> None:
    """Send a block again and again, until the client leaves."""
    await talk.send(head(talk.wire, _CHUNKED) + (chunk(first) if first else b""))
    while True:
        await talk.send(chunk(block))


async def _endless_line(talk: Talk) -> None:
    first = b"\x00\xff\xff\xff\x00\x00\x00\x10" if "amazon" in talk.wire.kind else b'{"a":"' * _is_lines(talk)
    await _for_ever(talk, b"a" * _BLOCK, first=first or b'data: {"a":"')


async def _endless_event(talk: Talk) -> None:
    """Send one event of endlessly many lines."""
    await _for_ever(talk, b"data: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 1000)


async def _endless_comments(talk: Talk) -> None:
    await _for_ever(talk, b": still here, and nothing to say about it, but here all the same\n\n" * 1000)


async def _endless_blanks(talk: Talk) -> None:
    await _for_ever(talk, b"\n" * _BLOCK)


async def _endless_answer(talk: Talk) -> None:
    """Say the same all over again, and never come to the end."""
    pieces = events(talk.wire)
    middle = pieces[len(pieces) // 2]
    await _for_ever(talk, middle * (_BLOCK // len(middle)), first=b"".join(pieces[: len(pieces) // 2]))


async def _endless_head(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await talk.send(b"x-a: %b\r\n" % (b"a" * 1000))


async def _endless_header(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nx-a: ")
    while True:
        await talk.send(b"a" * _BLOCK)


async def _endless_informing(talk: Talk) -> None:
    """Send 103 again and again."""
    while True:
        await talk.send(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n" * 1000)


async def _endless_extension(talk: Talk) -> None:
    await talk.send(head(talk.wire, _CHUNKED) + b"5;a=")
    while True:
        await talk.send(b"a" * _BLOCK)


async def _endless_trailers(talk: Talk) -> None:
    await talk.send(whole(talk.wire)[:-2])
    while True:
        await talk.send(b"x-a: %b\r\n" % (b"a" * 1000))


async def _endless_refusal(talk: Talk) -> None:
    """Refuse with a status, and reasons without end."""
    await talk.send(head(talk.wire, _CHUNKED, status=f"{talk.argument} No"))
    while True:
        await talk.send(chunk(b"no" * (_BLOCK // 2)))


async def _endless_json(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        await talk.send(chunk(b'["aaaaaaaaaaaaa",' * 4096))


# -- after the end -----------------------------------------------------------------------------------------------------


async def _stays(talk: Talk) -> None:
    """Say all there is to say, and keep the answer open."""
    await talk.send(whole(talk.wire)[: -len(b"0\r\n\r\n")])
    await talk.left()


async def _goes_on(talk: Talk) -> None:
    """Say all there is to say, then comments or blanks for ever."""
    await talk.send(whole(talk.wire)[: -len(b"0\r\n\r\n")])
    while True:
        await talk.send(chunk(b"\n"))
        await asyncio.sleep(_STEP)


async def _twice(talk: Talk) -> None:
    """Send each event twice."""
    body = b"".join(chunk(event * 2) for event in events(talk.wire))
    await talk.send(head(talk.wire, _CHUNKED) + body + b"0\r\n\r\n")


async def _again(talk: Talk) -> None:
    """Send the whole stream of events again after its end."""
    body = b"".join(map(chunk, events(talk.wire) * 2))
    await talk.send(head(talk.wire, _CHUNKED) + body + b"0\r\n\r\n")


async def _backwards(talk: Talk) -> None:
    body = b"".join(map(chunk, reversed(events(talk.wire))))
    await talk.send(head(talk.wire, _CHUNKED) + body + b"0\r\n\r\n")


async def _smuggled(talk: Talk) -> None:
    """Send a second answer that nobody asked for right behind the first one."""
    evil = whole(talk.wire).replace(b"0\r\n\r\n", b"")
    await talk.send(whole(talk.wire) + evil + b"0\r\n\r\n")


# -- kept connections --------------------------------------------------------------------------------------------------


async def _then_closes(talk: Talk) -> None:
    """Answer well, then close without having said so."""
    await talk.answer()
    talk.close()


async def _then_resets(talk: Talk) -> None:
    await talk.answer()
    talk.reset()


async def _stale(talk: Talk) -> None:
    """Take a request that isn't the connection's first, and drop it."""
    if talk.place > 1:
        talk.reset()
    else:
        await talk.answer()


async def _stale_fin(talk: Talk) -> None:
    if talk.place > 1:
        talk.close()
    else:
        await talk.answer()


async def _stale_begun(talk: Talk) -> None:
    """Begin to answer a request that isn't the connection's first, and drop it."""
    if talk.place > 1:
        await talk.send(whole(talk.wire)[:9])
        talk.reset()
    else:
        await talk.answer()


# -- refusals ----------------------------------------------------------------------------------------------------------


async def _storm(talk: Talk) -> None:
    """Refuse so many times: the argument is status, what `retry-after` says, and times."""
    status, wait, times = talk.argument.split(".")
    if talk.times > int(times):
        await talk.answer()
        return
    told = WAITS[wait]
    lines = [] if told is None else [f"retry-after: {told}"]
    body = b'{"error": {"message": "Slow down, please."}}'
    await talk.send(head(talk.wire, f"content-length: {len(body)}", *lines, status=f"{status} No") + body)


async def _status(talk: Talk) -> None:
    """Answer with a status, and in the body with the whole request, key and all."""
    body = talk.request
    told = [f"content-length: {len(body)}", "location: http://127.0.0.1:9/elsewhere?key=sk-canary-0123456789abcdef"]
    if talk.argument in ("101", "204", "304"):
        body, told = b"", told[1:]
    await talk.send(head(talk.wire, *told, status=f"{talk.argument} Whatever") + body)


async def _says(talk: Talk) -> None:
    """Answer with one of the set of garbage, and close."""
    await talk.send(GARBAGE[talk.argument](talk.wire))
    talk.close()


# -- packed ------------------------------------------------------------------------------------------------------------


def _packing(talk: Talk) -> zlib._Compress:
    return zlib.compressobj(wbits=31 if talk.argument.startswith("gzip") else 15)


async def _packed(talk: Talk) -> None:
    """Answer well, in gzip or deflate, flushed with each event."""
    packing = _packing(talk)
    pieces = [packing.compress(event) + packing.flush(zlib.Z_SYNC_FLUSH) for event in events(talk.wire)]
    body = b"".join(map(chunk, [*pieces, packing.flush()]))
    await talk.send(head(talk.wire, _CHUNKED, f"content-encoding: {talk.argument}") + body + b"0\r\n\r\n")


async def _bomb(talk: Talk) -> None:
    """Send a line that is a thousand times as long as what is sent."""
    packing = _packing(talk)
    begin = packing.compress(b"data: ") + packing.flush(zlib.Z_FULL_FLUSH)
    block = packing.compress(b"a" * 2**24) + packing.flush(zlib.Z_FULL_FLUSH)  # stands alone, so it can be repeated
    await talk.send(head(talk.wire, _CHUNKED, "content-encoding: gzip") + chunk(begin))
    while True:
        await talk.send(chunk(block))


@cache
def _packed_twice() -> bytes:
    """Return a gigabyte in a few hundred bytes."""
    inner, outer = zlib.compressobj(wbits=31), zlib.compressobj(wbits=31)
    data = b"".join(inner.compress(b"a" * 2**20) for _ in range(1024)) + inner.flush()
    return outer.compress(data) + outer.flush()


async def _bomb_in_bomb(talk: Talk) -> None:
    body = _packed_twice()
    await talk.send(head(talk.wire, f"content-length: {len(body)}", "content-encoding: gzip, gzip") + body)


async def _bomb_refusal(talk: Talk) -> None:
    """Refuse, with reasons that are a thousand times as long as what is sent."""
    packing = _packing(talk)
    block = packing.compress(b"a" * 2**20) + packing.flush(zlib.Z_FULL_FLUSH)
    await talk.send(head(talk.wire, _CHUNKED, "content-encoding: gzip", status="400 No"))
    while True:
        await talk.send(chunk(block))


async def _mispacked(talk: Talk) -> None:
    """Name an encoding that the body isn't in."""
    body = b"".join(events(talk.wire))
    lines = (f"content-length: {len(body)}", f"content-encoding: {talk.argument}")
    await talk.send(head(talk.wire, *lines) + body)


def _is_lines(talk: Talk) -> bool:
    return "ndjson" in talk.wire.kind


MISBEHAVIOUR: dict[str, Callable[[Talk], Awaitable[None]]] = {
    name.removeprefix("_"): each
    for name, each in tuple(globals().items())
    if asyncio.iscoroutinefunction(each) and name != "_for_ever"
}
"""By name; what an argument means is told there."""
