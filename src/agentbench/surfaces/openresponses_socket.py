"""Open Responses over a WebSocket: one connection, one response at a time, each event a text message.

The connection remembers its newest response, stored or not, so that the next turn can follow it.
"""

from __future__ import annotations

import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from starlette.websockets import WebSocketDisconnect

from agentbench.errors import AgentbenchError, InvalidRequest
from agentbench.protocol.decode import decode_json, decode_request
from agentbench.runner import Turn
from agentbench.surfaces.base import amounts_of
from agentbench.surfaces.receipts import WithoutReceipts, wants_receipts

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from starlette.websockets import WebSocket

    from agentbench.auth.principal import Principal
    from agentbench.runner import Run, Runner
    from agentbench.storage.responses import StoredResponse

__all__ = ["LIFETIME", "serve_socket"]

LIFETIME = 3600.0
"""Seconds after which a connection ends."""

_WAITING = 16
"""Messages that are read ahead, to notice a client that goes away while it is answered."""

_NOT_HERE = ("stream", "stream_options")
_log = logging.getLogger(__name__)

_Message = str | bytes


async def serve_socket(
    websocket: WebSocket, runner: Runner, principal: Principal, *, lifetime: float = LIFETIME
) -> None:
    """Serve one connection until the client closes it or its time is up."""
    await websocket.accept()
    put, messages = anyio.create_memory_object_stream[_Message](_WAITING)
    socket = _Socket(websocket, runner, principal)
    async with anyio.create_task_group() as group, put, messages:
        group.start_soon(_read, websocket, put, group.cancel_scope)
        with suppress(WebSocketDisconnect):  # the client is gone, which sending found out
            with anyio.move_on_after(lifetime):
                await socket.serve(messages)
            error = InvalidRequest(f"A connection ends after {lifetime / 60:g} minutes. Open a new one.")
            await socket.tell(error, code="websocket_connection_limit_reached")
            await websocket.close()
        group.cancel_scope.cancel()


async def _read(websocket: WebSocket, put: MemoryObjectSendStream[_Message], scope: anyio.CancelScope) -> None:
    while (message := await websocket.receive())["type"] == "websocket.receive":
        await put.send(message.get("text") or message.get("bytes") or "")
    scope.cancel()


class _Socket:
    """Answers the messages of one connection, in their order."""

    def __init__(self, websocket: WebSocket, runner: Runner, principal: Principal) -> None:
        self._websocket = websocket
        self._runner = runner
        self._principal = principal
        self._newest: tuple[StoredResponse, ...] = ()
        self._json = msgspec.json.Encoder()

    async def serve(self, messages: MemoryObjectReceiveStream[_Message]) -> None:
        async for message in messages:
            try:
                await self._answer(message)
            except AgentbenchError as error:
                await self.tell(error)
            except WebSocketDisconnect:
                raise
            except Exception as error:  # noqa: BLE001 - it is logged, and no client learns more
                _log.exception("a turn broke off")
                await self.tell(
                    AgentbenchError(f"agentbench itself failed ({type(error).__name__}). Its log says more.")
                )

    async def tell(self, error: AgentbenchError, *, code: str | None = None) -> None:
        inner = {"type": error.type, "code": code or error.code, "message": error.message, "param": error.param}
        told = {name: value for name, value in inner.items() if value is not None} | amounts_of(error)
        await self._send({"type": "error", "status": error.status, "error": told})

    async def _send(self, value: object) -> None:
        await self._websocket.send_text(self._json.encode(value).decode())

    async def _answer(self, message: _Message) -> None:
        raw = decode_json(message)
        if raw.get("type") != "response.create":
            raise InvalidRequest(f"Messages of type {raw.get('type')!r} are not read here.", param="type")
        previous = raw.get("previous_response_id")
        known = self._newest if self._newest and self._newest[-1].response.id == previous else None
        if known is not None:
            self._newest = ()  # a turn that fails takes what it followed with it
        run = self._runner.start(self._turn(raw, known))
        await self._play(run)
        if run.response.error is None:
            self._newest = run.record

    def _turn(self, raw: dict[str, Any], past: tuple[StoredResponse, ...] | None) -> Turn:
        fields = {name: value for name, value in raw.items() if name not in _NOT_HERE}
        wanted = decode_request(fields)
        if wanted.model is None:
            raise InvalidRequest("Say who should answer: `model` is missing.", param="model")
        if wanted.background:
            raise InvalidRequest("A WebSocket has no background responses. Use POST.", param="background")
        return Turn(request=wanted, principal=self._principal, past=past)

    async def _play(self, run: Run) -> None:
        receipts, view = wants_receipts(self._websocket), None
        async with aclosing(run.events(watched=True)) as batches:
            async for batch in batches:
                if view is None and not receipts:  # not before: what runs here may be known only now
                    view = WithoutReceipts(run.own_tools)
                for event in batch if view is None else view.feed(batch):
                    await self._send(event)
