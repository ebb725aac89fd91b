"""Answers of HTTP upstreams, recorded on a cassette and played with no upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest

from agentbench.config import Endpoint, Secret
from agentbench.errors import CassetteMiss, UpstreamError, UpstreamRefused, UpstreamUnavailable
from agentbench.providers.cassettes.cassette import Cassette
from agentbench.providers.cassettes.deck import Deck
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

pytestmark = pytest.mark.anyio
KEY = "k3y-of-acme-0123456789"
ACME = Endpoint(name="acme", provider="openai_chat", base_url="http://127.0.0.1:9/v1", api_key=Secret(KEY))
EVENTS = {"content-type": "text/event-stream"}
BODY = {"model": "small", "messages": [{"role": "user", "content": "Why?"}]}


class Pieces(httpx2.AsyncByteStream):
    """A body in given pieces, which may break at its end."""

    def __init__(self, pieces: Sequence[bytes], *, breaks: bool = False) -> None:
        self._pieces, self._breaks = pieces, breaks

    async def __aiter__(self) -> Any:
        """Yield the pieces."""
        for piece in self._pieces:
            yield piece
        if self._breaks:
            raise httpx2.ReadError("the line went dead")


class Nobody(httpx2.AsyncBaseTransport):
    """Fails whoever sends."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raise."""
        raise AssertionError(f"{request.url} was asked")


async def asked(
    cassette: Cassette, transport: httpx2.AsyncBaseTransport, body: dict[str, Any] | None = None, at: Endpoint = ACME
) -> list[bytes]:
    """Return the pieces that come back while that cassette is in; no wait is long."""

    async def at_once(_: float) -> None:
        return

    deck = Deck()
    deck.tape = cassette
    http = Http(transport=transport, deck=deck, sleep=at_once)
    try:
        async with http.post("/chat/completions", body or BODY, at) as chunks:
            return [chunk async for chunk in chunks]
    finally:
        await http.aclose()


async def both(file: Path, answer: Callable[[], httpx2.Response], **how: Any) -> tuple[list[bytes], list[bytes]]:
    """Return what came while it was recorded, and what is played."""
    recording = Cassette(file, "record")
    came = await asked(recording, httpx2.MockTransport(lambda _: answer()))
    recording.close()
    return came, await asked(Cassette(file, "replay"), Nobody(), **how)


def streamed(*pieces: bytes, breaks: bool = False) -> Callable[[], httpx2.Response]:
    """Return a function that makes an answer of those pieces."""
    return lambda: httpx2.Response(200, headers=EVENTS, stream=Pieces(pieces, breaks=breaks))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the cassette is to be."""
    return tmp_path / "demo.jsonl"


async def test_the_same_pieces(file: Path) -> None:
    """The same bytes come in the same pieces, with no upstream; characters that were cut are whole."""
    korean = "서울".encode()
    came, played = await both(file, streamed(b'data: {"a": "', korean[:4], korean[4:], b'"}\n\n', b"data: [DONE]\n\n"))
    assert b"".join(played) == b"".join(came)
    assert played[-1] == b"data: [DONE]\n\n"


async def test_binary_pieces(file: Path) -> None:
    """What isn't UTF-8 comes back byte for byte."""
    recording = Cassette(file, "record")
    came = await asked(recording, httpx2.MockTransport(lambda _: streamed(b"data: \xff\xfe", b"\x00\x01")()))
    recording.close()
    assert await asked(Cassette(file, "replay"), Nobody()) == came == [b"data: \xff\xfe", b"\x00\x01"]


async def test_another_machine(file: Path) -> None:
    """Another port, key and header, and keys in another order, are the same request."""
    there = msgspec.structs.replace(
        ACME, base_url="http://127.0.0.1:7777/v2/", api_key=Secret("an-0ther-key-of-9999"), headers={"x-a": "b"}
    )
    came, played = await both(file, streamed(b"data: {}\n\n"), at=there, body=dict(reversed(BODY.items())))
    assert played == came


async def test_ids_and_moments(file: Path) -> None:
    """Ids and moments may differ; what stands where may not."""

    def body(call: str, moment: str) -> dict[str, Any]:
        called = {"role": "assistant", "tool_calls": [{"id": call}]}
        return {"messages": [called, {"role": "tool", "tool_call_id": call, "content": f"It is {moment}."}]}

    recording = Cassette(file, "record")
    answer = httpx2.MockTransport(lambda _: streamed(b"data: {}\n\n")())
    came = await asked(recording, answer, body("call_0123456789abcdef0123", "2026-11-23T10:00:00Z"))
    recording.close()
    played = await asked(Cassette(file, "replay"), Nobody(), body("call_fedcba98765432100123", "2027-01-02T03:04:05Z"))
    assert played == came


async def test_repeats(file: Path) -> None:
    """A request that was made twice plays both answers in their order, then begins again."""
    answers = iter((b"data: 1\n\n", b"data: 2\n\n"))
    recording = Cassette(file, "record")
    transport = httpx2.MockTransport(lambda _: streamed(next(answers))())
    for _ in range(2):
        await asked(recording, transport)
    recording.close()
    replayed = Cassette(file, "replay")
    assert [(await asked(replayed, Nobody()))[0] for _ in range(3)] == [b"data: 1\n\n", b"data: 2\n\n", b"data: 1\n\n"]


async def test_a_miss(file: Path) -> None:
    """A request that isn't there is named, with what differs from the nearest; it isn't sent or tried again."""
    await both(file, streamed(b"data: {}\n\n"))
    replayed = Cassette(file, "replay")
    other = BODY | {"messages": [{"role": "user", "content": "Where?"}]}
    with pytest.raises(CassetteMiss) as caught:
        await asked(replayed, Nobody(), other)
    assert 'acme: POST /chat/completions with "Where?"' in caught.value.message
    assert 'body.messages[0].content: recorded "Why?", asked "Where?"' in caught.value.message
    assert replayed.missed == 1


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [(401, {}, UpstreamRefused), (503, {"retry-after": "120"}, UpstreamUnavailable)],
)
async def test_refusals(file: Path, status: int, headers: dict[str, str], error: type[Exception]) -> None:
    """An upstream that refuses, refuses again, in its words."""
    recording = Cassette(file, "record")
    refusal = httpx2.MockTransport(lambda _: httpx2.Response(status, headers=headers, json={"error": "Not you."}))
    with pytest.raises(error) as first:
        await asked(recording, refusal)
    recording.close()
    with pytest.raises(error) as second:
        await asked(Cassette(file, "replay"), Nobody())
    assert str(second.value) == str(first.value)


async def test_a_retry(file: Path) -> None:
    """A refusal that passed is played with what came after it."""
    answers = iter((httpx2.Response(429, headers={"retry-after": "1"}), streamed(b"data: {}\n\n")()))
    recording = Cassette(file, "record")
    came = await asked(recording, httpx2.MockTransport(lambda _: next(answers)))
    recording.close()
    replayed = Cassette(file, "replay")
    assert await asked(replayed, Nobody()) == came
    assert replayed.played == 2


@pytest.mark.parametrize("pieces", [(), (b"data: 1\n\n",), (b"data: 1\n\n", b"dat")])
async def test_a_break(file: Path, pieces: tuple[bytes, ...]) -> None:
    """A stream that broke breaks again, after the same bytes."""
    recording = Cassette(file, "record")
    with pytest.raises(UpstreamError) as first:
        await asked(recording, httpx2.MockTransport(lambda _: streamed(*pieces, breaks=True)()))
    recording.close()
    with pytest.raises(UpstreamError) as second:
        await asked(Cassette(file, "replay"), Nobody())
    assert str(second.value) == str(first.value)


async def test_auto(file: Path) -> None:
    """`auto` plays what is there, and adds what isn't."""
    came, _ = await both(file, streamed(b"data: 1\n\n"))
    cassette = Cassette(file, "auto")
    assert await asked(cassette, Nobody()) == came
    other = BODY | {"model": "large"}
    added = await asked(cassette, httpx2.MockTransport(lambda _: streamed(b"data: 2\n\n")()), other)
    cassette.close()
    again = Cassette(file, "replay")
    assert [await asked(again, Nobody()), await asked(again, Nobody(), other)] == [came, added]


def retime(file: Path, seconds: Sequence[float]) -> None:
    """Give each line of a cassette other seconds."""
    lines = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    timed = [line | {"seconds": each} for line, each in zip(lines, seconds, strict=True)]
    file.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in timed))


async def test_pace(file: Path) -> None:
    """With `pace` pieces come when they came; without it at once."""
    await both(file, streamed(b"data: 1\n\n", b"data: 2\n\n"))
    retime(file, (0, 0, 1.0, 2.0, 4.0, 4.0))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    await asked(Cassette(file, "replay", pace=True, clock=lambda: 0.0, sleep=sleep), Nobody())
    assert waits == [1.0, 1.0, 3.0]
