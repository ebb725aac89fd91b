"""Asks any server that claims to speak Responses or chat completions, and records what it sends, frame by frame.

The recording keeps what came as it came, but for the caller's secrets; `agentbench.protocol.grammar` says what is wrong
with it.
"""

from __future__ import annotations

import time
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

import anyio
import msgspec

from agentbench.config import Endpoint, Secret, Timeouts
from agentbench.config.header_templates import is_sensitive
from agentbench.config.secret import MASK
from agentbench.errors import (
    InvalidRequest,
    UnknownName,
    UpstreamError,
    UpstreamGarbled,
    UpstreamRejected,
    UpstreamTimeout,
)
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.grammar.frames import data_of, decoded, is_comment
from agentbench.protocol.recording import Frame, Recording
from agentbench.providers.chat_stream import ChatDecoder
from agentbench.providers.http import Http
from agentbench.providers.sse import LineFeeds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

__all__ = ["PROMPT", "PROTOCOLS", "Protocol", "key_in", "probe"]

Protocol = Literal["responses", "chat"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
PROMPT = "Count from one to ten, in words."
SECONDS = 60.0

_MOST = 64 * 2**20
"""Bytes after which we hang up: no answer to such a question is as long."""

_PATHS: dict[Protocol, str] = {"responses": "/responses", "chat": "/chat/completions"}
_STREAM_STARTS = ("data:", "event:", "id:", "retry:", ":")


async def probe(
    base_url: str,
    *,
    model: str | None = None,
    protocol: Protocol | None = None,
    prompt: str = PROMPT,
    key: str | Secret | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Recording:
    """Ask a server for a streamed answer and return what came.

    `base_url` is what stands before `/responses`, often ending in `/v1`. Without a `model` it is the first that the
    server lists; without a `protocol`, responses are tried and then chat. After so many `seconds` it hangs up, and the
    recording's notes say so. Raises `UpstreamError` or another of our errors if nothing came, or no stream.
    """
    if protocol not in (None, *PROTOCOLS):
        raise UnknownName("protocol", str(protocol), PROTOCOLS)
    endpoint = _endpoint(base_url, key, headers or {}, seconds)
    http = Http()
    try:
        model = model or await _first_model(http, endpoint)
        if protocol is not None:
            return await _Probe(http, endpoint, protocol, seconds).run(model, prompt)
        return await _either(http, endpoint, model, prompt, seconds)
    finally:
        await http.aclose()


def key_in(environ: Mapping[str, str], variable: str) -> Secret:
    """Return the key that an environment variable holds; raise `InvalidRequest` if there is none of that name.

    What was written in place of a name may be a key itself, so it isn't shown.
    """
    if not (key := environ.get(variable)):
        raise InvalidRequest("Name the environment variable that holds the key: there is none of the name given.")
    return Secret(key)


async def _either(http: Http, endpoint: Endpoint, model: str, prompt: str, seconds: float) -> Recording:
    """Ask for a response, and where there is nothing of the kind, for a chat completion."""
    try:
        return await _Probe(http, endpoint, "responses", seconds).run(model, prompt)
    except (UpstreamRejected, UpstreamGarbled) as first:
        try:
            recording = await _Probe(http, endpoint, "chat", seconds).run(model, prompt)
        except (UpstreamRejected, UpstreamGarbled) as second:
            raise UpstreamRejected(
                f"{endpoint.name} speaks neither. Responses: {first.message} Chat: {second.message}"
            ) from None
        note = f"Responses were asked for first, in vain: {first.message}"
        return msgspec.structs.replace(recording, notes=(note, *recording.notes))


def _endpoint(base_url: str, key: str | Secret | None, headers: Mapping[str, str], seconds: float) -> Endpoint:
    try:
        parts = urlsplit(base_url)
    except ValueError:  # brackets that hold no IPv6 address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequest("Give the server's address, such as http://127.0.0.1:8017/v1.", param="base_url")
    if "@" in parts.netloc or parts.query:
        raise InvalidRequest("Give the address without a password or a query: a key goes in `key`.", param="base_url")
    return Endpoint(
        name=parts.netloc,
        provider="openai_responses",
        base_url=base_url.rstrip("/"),
        api_key=Secret(key) if isinstance(key, str) else key,
        headers=headers,
        timeouts=Timeouts(connect=min(10.0, seconds), first_byte=seconds, silence=seconds),
        origin="none was given" if key is None else "the key that was given",
    )


@contextmanager
def _without_settings() -> Iterator[None]:
    """Let errors speak of the address: here nobody wrote a `baseURL`."""
    try:
        yield
    except UpstreamError as error:
        error.message = error.message.replace("baseURL", "the address")
        error.args = (error.message,)
        raise


async def _first_model(http: Http, endpoint: Endpoint) -> str:
    try:
        with _without_settings():
            listed = await http.get_json("/models", endpoint)
    except UpstreamRejected as error:
        raise UpstreamRejected(f"{endpoint.name} lists no models. Name one. ({error.message})") from None
    rows = listed.get("data") if isinstance(listed, dict) else listed
    names = [row["id"] for row in rows if isinstance(row, dict) and row.get("id")] if isinstance(rows, list) else []
    if not names:
        raise UpstreamGarbled(f"{endpoint.name} lists no models at /models. Name one.")
    return str(names[0])


def _body(protocol: Protocol, model: str, prompt: str) -> dict[str, Any]:
    if protocol == "responses":
        return {"model": model, "input": prompt, "stream": True}
    messages = [{"role": "user", "content": prompt}]
    return {"model": model, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}


class _Probe:
    """One request, and what came of it."""

    def __init__(self, http: Http, endpoint: Endpoint, protocol: Protocol, seconds: float) -> None:
        self._http = http
        self._endpoint = endpoint
        self._protocol = protocol
        self._seconds = seconds
        self._frames: list[Frame] = []
        self._notes: list[str] = []

    async def run(self, model: str, prompt: str) -> Recording:
        """Ask, listen to the end, and return the recording."""
        body = _body(self._protocol, model, prompt)
        started = datetime.now(UTC)
        await self._listen(body)
        frames = tuple(self._frames)
        events, times = _chat_events(frames, model) if self._protocol == "chat" else _raw_events(frames)
        return Recording(
            source=self._endpoint.base_url or "",
            events=events,
            times=times,
            request=body,
            frames=frames,
            spoken=self._protocol,
            started_at=started,
            notes=tuple(self._notes),
        )

    async def _listen(self, body: Mapping[str, Any]) -> None:
        """Record frames until the stream ends, breaks off or takes too long."""
        name = self._endpoint.name
        try:
            with anyio.fail_after(self._seconds), _without_settings():
                await self._record(body)
        except TimeoutError:
            if not self._frames:
                raise UpstreamTimeout(f"{name} sent nothing within {self._seconds:g} s. Is it stuck?") from None
            self._notes.append(f"After {self._seconds:g} s the stream hadn't ended; we hung up.")
        except UpstreamError as error:
            if not self._frames:
                raise
            self._notes.append(f"The stream broke off: {error.message}")
        if not self._frames:
            raise UpstreamGarbled(f"{name} answered with nothing. Expected a stream of server-sent events.")

    async def _record(self, body: Mapping[str, Any]) -> None:
        begun = time.perf_counter()
        # What isn't said to be a stream is handed on as it is, so it can be told what came in its place.
        accept = "text/event-stream, application/json"
        async with (
            self._http.post(_PATHS[self._protocol], body, self._endpoint, accept=accept) as pieces,
            aclosing(_blocks(pieces, self._endpoint)) as blocks,
        ):
            async for block in blocks:
                self._check_stream(block)
                self._frames.append(Frame(seconds=time.perf_counter() - begun, text=block))

    def _check_stream(self, block: str) -> None:
        if self._frames or block.startswith(_STREAM_STARTS):
            return
        name, value = self._endpoint.name, decoded(block)
        if isinstance(value, dict):
            raise UpstreamGarbled(f"{name} answered with one JSON object, though the request has stream: true.")
        raise UpstreamGarbled(f"{name} answered with something that is no stream of server-sent events.")


async def _blocks(pieces: AsyncIterator[bytes], endpoint: Endpoint) -> AsyncGenerator[str]:
    """Yield server-sent frames as they came, without the blank line that ends each and without secrets."""
    hidden = _secrets(endpoint)
    line_feeds, rest, came = LineFeeds(), b"", 0
    async for piece in pieces:
        came += len(piece)
        if came > _MOST:
            raise UpstreamGarbled(f"{endpoint.name} sent more than {_MOST // 2**20} MB; we hung up.")
        *blocks, rest = (rest + line_feeds.feed(piece)).split(b"\n\n")
        for block in blocks:
            if text := _text(block, hidden):
                yield text
    if text := _text(rest, hidden):
        yield text


def _text(block: bytes, hidden: tuple[str, ...]) -> str:
    text = block.decode("utf-8-sig", errors="replace").strip("\n\r")
    for secret in hidden:
        text = text.replace(secret, MASK)
    return text


def _secrets(endpoint: Endpoint) -> tuple[str, ...]:
    """Return what was sent that nobody else may read: servers repeat it in errors."""
    found = {endpoint.api_key.reveal()} if endpoint.api_key is not None else set()
    for name, value in endpoint.headers.items():
        if is_sensitive(name):
            found |= {value, *value.split()[1:]}
    return tuple(sorted(filter(None, found), key=len, reverse=True))


_Told = tuple[tuple[dict[str, Any], ...], tuple[float, ...]]


def _raw_events(frames: tuple[Frame, ...]) -> _Told:
    """Return the events of Responses, and when they came; what is no JSON object stays among the frames only."""
    told = [(decoded(data_of(frame.text)), frame.seconds) for frame in frames if not is_comment(frame.text)]
    events = [(event, seconds) for event, seconds in told if isinstance(event, dict)]
    return tuple(event for event, _ in events), tuple(seconds for _, seconds in events)


def _chat_events(frames: tuple[Frame, ...], model: str) -> _Told:
    """Return the events that our own decoder makes of chunks, each at the time of its chunk."""
    builder = EventBuilder(draft(CreateResponse(model=model), model=model))
    decoder = ChatDecoder(builder)
    last = frames[-1].seconds
    told = [(event, frames[0].seconds) for event in builder.start()]
    for frame in frames:
        told += [(event, frame.seconds) for event in decoder.feed(frame.text.encode() + b"\n\n")]
    told += [(event, last) for event in (*decoder.close(), *builder.finish())]
    recording = Recording.of((event for event, _ in told), [seconds for _, seconds in told], source="")
    return recording.events, recording.times
