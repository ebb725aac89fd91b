"""What a provider is: it encodes a request for one wire format, opens the upstream, and decodes what comes back.

`play` runs one upstream call. Encoding and decoding do no I/O; `open` does all of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from agentbench.errors import UpstreamError
from agentbench.providers.frames import FrameDecoder
from agentbench.providers.mask import mask

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, Event, EventBuilder

__all__ = ["Decoder", "Provider", "play"]

_FAREWELL = 5
"""Seconds that an upstream has after the end of its answer, to tell the usage and to leave."""


class Decoder(Protocol):
    """Turns what an upstream sends, in whatever pieces, into events. One decoder serves one upstream call."""

    def feed(self, chunk: Any, /) -> list[Event]:
        """Return the events that this piece completes."""

    def close(self) -> list[Event]:
        """Return what remains when the upstream has ended."""


class Provider(Protocol):
    """Speaks one wire format."""

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> Any:
        """Return the request in the provider's form; raises `InvalidRequest` for what it can't express."""

    def decoder(self, builder: EventBuilder) -> Decoder:
        """Return a fresh decoder that tells its news to `builder`."""

    def open(self, wire: Any, endpoint: Endpoint) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Send the encoded request; entering raises `UpstreamError` unless the upstream has begun to answer."""

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the names of the models that the endpoint offers now."""


async def play(
    provider: Provider, request: CreateResponse, endpoint: Endpoint, builder: EventBuilder
) -> AsyncGenerator[list[Event]]:
    """Run one upstream call and yield its events in batches, one batch a read; the first is empty.

    The empty batch says that the upstream has begun to answer: an error before it is raised, an error after it is
    told to the builder. The caller starts and finishes the builder. Closing the generator closes the upstream.
    """
    builder.outcome = None  # an earlier call of the same response may have ended well
    builder.mask = partial(mask, endpoint=endpoint)  # upstreams repeat keys and headers in their errors
    async with provider.open(provider.encode(request, endpoint), endpoint) as chunks:
        yield []
        decoder = provider.decoder(builder)
        try:
            async for chunk in chunks:
                if batch := decoder.feed(chunk):
                    yield batch
                if builder.outcome is not None:
                    break
            until = anyio.current_time() + _FAREWELL
            while builder.outcome in ("completed", "incomplete") and (chunk := await _next(chunks, until)) is not None:
                if batch := decoder.feed(chunk):
                    yield batch
        except UpstreamError as error:
            if batch := _unread(decoder, builder):
                yield batch
            if builder.outcome is None:  # else the answer was whole, and only the good-bye is missing
                builder.fail(error.message, code=error.code, kind=error.type)
        if batch := decoder.close():
            yield batch


async def _next(chunks: AsyncIterator[Any], until: float) -> Any:
    """Return what comes next, if it does until then."""
    with anyio.move_on_after(until - anyio.current_time()):
        return await anext(chunks, None)
    return None


def _unread(decoder: Decoder, builder: EventBuilder) -> list[Event]:
    """Return the events of a last frame that is there but for its end, which nobody will send any more."""
    return decoder.flush() if builder.outcome is None and isinstance(decoder, FrameDecoder) else []
