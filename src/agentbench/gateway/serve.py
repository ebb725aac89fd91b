"""The application on a socket: who listens, who is turned away at the end, and how a server stops.

`run` is for a process of its own, where uvicorn has the main thread and its own event loop. `LoopServer` is for a
kernel: uvicorn runs as a task on the workbench's loop, and takes no signals.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import socket
import threading
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from uvicorn.supervisors import Multiprocess

from agentbench.auth.accounts import Accounts
from agentbench.errors import InvalidRequest
from agentbench.gateway.health import HEALTH
from agentbench.storage.database import Database
from agentbench.surfaces.base import json_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType

    from anyio.abc import TaskStatus
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.gateway.crossing import LoopThread
    from agentbench.runner import Runner

__all__ = ["LoopServer", "ServedApp", "bind", "first_key", "is_loopback", "run", "url_of"]

# Seconds. Together they keep a stop below ten.
_DRAIN = 6.0
_CANCEL = 2.0
_STOP = 12.0
_IDLE = 65  # longer than the proxies and clients that keep connections for a minute
_LOOK = 0.05
_GOODBYE = 0.2  # a WebSocket's last event is sent just after its answer is stored
_LAST_PORT = 65_535
_TRY_AGAIN_LATER = 1013  # of the IANA's registry of WebSocket close codes


class Door:
    """Lets requests into the application; once it is shut, new ones get 503 and those inside come to their end."""

    def __init__(self, app: ASGIApp, runner: Runner) -> None:
        self._app = app
        self._runner = runner
        self._inside = 0
        self.is_shut = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or turn it away."""
        if self.is_shut and scope["path"] != HEALTH:
            await _turn_away(scope, receive, send)
            return
        counts = scope["type"] == "http"  # a WebSocket may stay open for days: it is the server that closes it
        self._inside += counts
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= counts

    async def shut(self) -> None:
        """Turn new requests away, let running answers end as incomplete, and wait until nobody is inside."""
        self.is_shut = True
        with anyio.move_on_after(_DRAIN):
            while self._runner.stop_remote() or self._inside:  # noqa: ASYNC110 - runs and requests have no event in common
                await anyio.sleep(_LOOK)
        await anyio.sleep(_GOODBYE)


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
        return
    message = "This server is stopping. Try again in a moment."
    inner = {"type": "service_unavailable", "message": message, "param": None, "code": "stopping"}
    body = {"type": "error", "error": inner}  # both OpenAI's and Anthropic's shape
    await json_response(body, 503, {"retry-after": "5", "connection": "close"})(scope, receive, send)


class ServedApp:
    """The application for a server process: on the first signal to stop it drains, and only then the server learns.

    `close` is awaited at the end of the server's lifespan, on its event loop.
    """

    def __init__(self, app: ASGIApp, runner: Runner, close: Callable[[], Awaitable[object]]) -> None:
        self._door = Door(app, runner)
        self._runner = runner
        self._close = close
        self._stopping: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live from the server's start to its end."""
        if scope["type"] != "lifespan":
            await self._door(scope, receive, send)
            return
        await receive()
        self._take_signals()
        self._runner.library.resume()
        self._runner.assistants.resume()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._close()
        await send({"type": "lifespan.shutdown.complete"})

    def _take_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            server = signal.getsignal(number)
            if callable(server):
                signal.signal(number, self._handler(loop, server))

    def _handler(
        self, loop: asyncio.AbstractEventLoop, server: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            if not self._door.is_shut:
                self._door.is_shut = True
                loop.call_soon_threadsafe(self._stop, number, server)
            elif number == signal.SIGINT:  # asked twice by hand: at once. Supervisors repeat what a terminal sent
                server(number, frame)

        return handle

    def _stop(self, number: int, server: Callable[[int, FrameType | None], Any]) -> None:
        async def stop() -> None:
            await self._door.shut()
            server(number, None)

        self._stopping = asyncio.create_task(stop())


class LoopServer:
    """The application served from a kernel, on the workbench's loop; it listens when it is made. `stop` ends it."""

    def __init__(self, loop: LoopThread, app: ASGIApp, runner: Runner, *, host: str, port: int) -> None:
        sock = bind(host, port)
        self.url = url_of(host, sock)
        self._loop = loop
        self._door = Door(app, runner)
        self._server = _Server(_config(self._door, lifespan="off"))
        self._task, _ = loop.portal.start_task(self._server.run_as_task, sock)
        loop.portal.call(runner.library.resume)

    @property
    def is_running(self) -> bool:
        """Whether it still listens."""
        return not self._task.done()

    def stop(self) -> None:
        """Turn new requests away, let running answers end, then stop listening. A second call does nothing."""
        if self.is_running:
            self._loop.portal.start_task_soon(self._stop)
            concurrent.futures.wait([self._task], _STOP)

    async def _stop(self) -> None:
        await self._door.shut()
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """A server as a task: it tells when it listens, and closes its connections properly even when it is cancelled."""

    async def run_as_task(self, sock: socket.socket, *, task_status: TaskStatus[None]) -> None:
        self._tell = task_status.started
        try:
            await self.serve(sockets=[sock])
        finally:
            if self.started and not self.should_exit:
                with anyio.CancelScope(shield=True):
                    await self.shutdown(sockets=[sock])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket, port 0 for any free one; raises `InvalidRequest` if that can't be had."""
    if not 0 <= port <= _LAST_PORT:
        raise InvalidRequest(f"There is no port {port}. Choose one from 0 to {_LAST_PORT}: --port.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        raise InvalidRequest(f"Can't listen on {host}, port {port}: {reason}. Choose another one: --port.") from None
    # Its connections inherit that. asyncio sets it only where a socket says that it is TCP, which this one doesn't; and
    # without it a short answer waits 40 ms for the client to acknowledge its headers.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def url_of(host: str, sock: socket.socket) -> str:
    """Return the address of a listening socket as people type it."""
    port = sock.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(application: str, sock: socket.socket, *, workers: int = 1) -> None:
    """Serve until a signal says stop; `application` is the import string of a function that makes a `ServedApp`."""
    config = _config(application, factory=True, workers=workers)
    if workers == 1:
        uvicorn.Server(config).run(sockets=[sock])
    else:
        Multiprocess(config, [sock]).run()


def first_key() -> str | None:
    """Return a key for the kernel's own account if nobody has an account yet; it can't be shown again."""
    with closing(Database()) as database:
        made = anyio.run(Accounts(database).first_key)
    return None if made is None else made.secret.reveal()


def _config(application: ASGIApp | str, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=int(_CANCEL),
        **options,
    )
