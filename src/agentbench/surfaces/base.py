"""What surfaces share: the route, the server-sent stream, and the wait for the first event.

An error before the first event is an HTTP status in the surface's own shape; after it, the surface's encoder turns it
into whatever its clients expect within a stream.
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple, Protocol

import anyio
import msgspec
from starlette.responses import Response as HTTPResponse

from agentbench.errors import AgentbenchError, UpstreamRateLimited

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from agentbench.auth.principal import Principal
    from agentbench.protocol import Event, Response
    from agentbench.runner import Run, Runner

__all__ = ["Encoder", "EventStream", "Route", "finished", "json_response", "openai_error", "streamed"]

_log = logging.getLogger(__name__)


class Encoder(Protocol):
    """Writes one stream in a surface's form."""

    def feed(self, event: Event) -> Iterable[bytes]:
        """Return the frames that the event causes, each to be written at once."""

    def close(self) -> Iterable[bytes]:
        """Return the frames that end the stream."""


class Route(NamedTuple):
    """One address of a surface."""

    method: str
    path: str
    handler: Callable[[Request, Runner, Principal], Awaitable[HTTPResponse]]
    error: Callable[[AgentbenchError], HTTPResponse]
    summary: str

    async def answer(self, request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
        """Handle a request; errors come out in the surface's shape, those that nobody foresaw without their details."""
        try:
            return await self.handler(request, runner, principal)
        except AgentbenchError as error:
            return self.error(error)
        except Exception as error:  # noqa: BLE001 - it is logged, and no client learns more
            _log.exception("a request broke off")
            return self.error(AgentbenchError(f"agentbench itself failed ({type(error).__name__}). Its log says more."))


class EventStream(HTTPResponse):
    """A server-sent stream. It ends at once, with all that feeds it, when the client goes away."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        """Send the frames as they come."""

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        try:
            async with aclosing(self._frames), anyio.create_task_group() as group:
                group.start_soon(watch)
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                async for frame in self._frames:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                group.cancel_scope.cancel()
        except ExceptionGroup as errors:  # the task group's wrapping
            raise errors.exceptions[0] from None


async def streamed(run: Run, encoder: Encoder) -> EventStream:
    """Return the run as a stream once its first event is there; raises what goes wrong before."""
    batches = run.events()
    first = await anext(batches)
    return EventStream(_frames(first, batches, encoder))


async def _frames(first: list[Event], batches: AsyncGenerator[list[Event]], encoder: Encoder) -> AsyncGenerator[bytes]:
    async with aclosing(batches):
        for event in first:
            for frame in encoder.feed(event):
                yield frame
        async for batch in batches:
            for event in batch:
                for frame in encoder.feed(event):
                    yield frame
    for frame in encoder.close():
        yield frame


async def finished(run: Run) -> Response:
    """Return the final response of a run."""
    async with aclosing(run.events()) as batches:
        async for _ in batches:
            pass
    return run.response


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Return a value of ours as JSON."""
    return HTTPResponse(msgspec.json.encode(body), status, headers, media_type="application/json")


def openai_error(error: AgentbenchError) -> HTTPResponse:
    """Return an error as OpenAI's clients expect it."""
    inner = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    headers = {}
    if isinstance(error, UpstreamRateLimited) and error.retry_after is not None:
        headers["retry-after"] = f"{error.retry_after:g}"
    return json_response({"error": inner}, error.status, headers)
