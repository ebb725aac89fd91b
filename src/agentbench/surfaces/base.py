"""What surfaces share: the route, the server-sent stream, and the wait for the first event.

An error before the first event is an HTTP status in the surface's own shape; after it, the surface's encoder turns it
into whatever its clients expect within a stream.
"""

from __future__ import annotations

import logging
import math
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response as HTTPResponse

from agentbench.errors import AgentbenchError, InsufficientBalance, InvalidRequest, RateLimited
from agentbench.surfaces.event_stream import EventStream, while_connected
from agentbench.surfaces.receipts import WithoutReceipts, without_receipts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from starlette.requests import Request

    from agentbench.auth.principal import Principal
    from agentbench.protocol import Event, Response
    from agentbench.runner import Run, Runner
    from agentbench.runner.background import BackgroundRun

__all__ = [
    "Encoder",
    "EventStream",
    "Route",
    "amounts_of",
    "finished",
    "json_response",
    "openai_error",
    "small_body",
    "streamed",
    "when_to_return",
]

_log = logging.getLogger(__name__)
_SMALL_BODY = 65_536


class Encoder(Protocol):
    """Writes one stream in a surface's form."""

    def feed(self, event: Event) -> Iterable[bytes]:
        """Return the frames that the event causes, each to be written at once."""

    def close(self) -> Iterable[bytes]:
        """Return the frames that end the stream."""


class Route(NamedTuple):
    """One address of a surface. Two may share one: the first answers the requests that have its `header`.

    `body` and `query` are the types that it reads, for the generated documents; `body` may also be schemas by media
    type. An `open` one needs no credential.
    """

    method: str
    path: str
    handler: Callable[[Request, Runner, Principal], Awaitable[HTTPResponse]]
    error: Callable[[AgentbenchError], HTTPResponse]
    summary: str
    header: str | None = None
    body: Any = None
    query: type | None = None
    open: bool = False

    async def answer(self, request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
        """Handle a request; errors come out in the surface's shape, those that nobody foresaw without their details."""
        try:
            return await self.handler(request, runner, principal)
        except AgentbenchError as error:
            return self.error(error)
        except ClientDisconnect:
            return HTTPResponse(status_code=499)  # nobody reads it; logs of requests know the number
        except Exception as error:  # noqa: BLE001 - it is logged, and no client learns more
            _log.exception("a request broke off")
            return self.error(AgentbenchError(f"agentbench itself failed ({type(error).__name__}). Its log says more."))


async def streamed(
    run: Run | BackgroundRun,
    encoder: Encoder,
    *,
    request: Request | None = None,
    receipts: bool = False,
    kind: type[EventStream] = EventStream,
) -> EventStream:
    """Return the run as a stream once its first event is there; raises what goes wrong before.

    `request` lets a client that goes away meanwhile end the run. `receipts` shows the tools that ran here.
    `kind` is how the frames are sent.
    """
    batches = run.events()
    first = await while_connected(request, anext(batches))
    view = WithoutReceipts(run.own_tools) if run.own_tools and not receipts else None
    return kind(_frames(first, batches, encoder, view))


async def _frames(
    first: list[Event], batches: AsyncGenerator[list[Event]], encoder: Encoder, view: WithoutReceipts | None
) -> AsyncGenerator[bytes]:
    """Yield what is sent for each batch, in one piece: a write costs more than what is in it."""
    async with aclosing(batches):
        batch: list[Event] | None = first
        while batch is not None:
            seen = batch if view is None else view.feed(batch)
            if frames := b"".join([frame for event in seen for frame in encoder.feed(event)]):
                yield frames
            batch = await anext(batches, None)
    if frames := b"".join(encoder.close()):
        yield frames


async def finished(run: Run, *, request: Request | None = None, receipts: bool = False) -> Response:
    """Return the final response of a run; takes what `streamed` takes."""
    await while_connected(request, _drained(run))
    return run.response if receipts else without_receipts(run.response, run.own_tools)


async def _drained(run: Run) -> None:
    async with aclosing(run.events()) as batches:
        async for _ in batches:
            pass


async def small_body(request: Request) -> bytes:
    """Return a body that anyone may send; raises `InvalidRequest` if it is longer than 64 KB."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _SMALL_BODY:
            raise InvalidRequest(f"The body is longer than {_SMALL_BODY} bytes.")
    return bytes(body)


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Return a value of ours as JSON."""
    return HTTPResponse(msgspec.json.encode(body), status, headers, media_type="application/json")


def openai_error(error: AgentbenchError) -> HTTPResponse:
    """Return an error as OpenAI's clients expect it."""
    inner = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return json_response({"error": inner | amounts_of(error)}, error.status, when_to_return(error))


def amounts_of(error: AgentbenchError) -> dict[str, float]:
    """Return the credits that are there and those that a call needs, if the error is about them."""
    if not isinstance(error, InsufficientBalance):
        return {}
    return {"balance": error.balance, "needed": error.needed}


def when_to_return(error: AgentbenchError) -> dict[str, str]:
    """Return the header that says how long to wait, if the error knows it."""
    seconds: float | None = getattr(error, "retry_after", None)
    if isinstance(error, RateLimited):
        seconds = math.ceil(error.retry_after)  # RFC 9110, 10.2.3; an upstream's is passed on as it is
    return {} if seconds is None else {"retry-after": f"{seconds:g}"}
