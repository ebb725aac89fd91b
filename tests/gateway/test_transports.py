"""httpx and httpx2 clients that call an ASGI application in this process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import httpx2
import msgspec
import pytest

from agentbench.auth.principal import KERNEL
from agentbench.gateway.identity import PRINCIPAL
from agentbench.gateway.transports import AsyncInProcessTransport, InProcessTransport

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.gateway.crossing import LoopThread

URL = "http://agentbench.invalid"
START = {"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"test")]}


@pytest.fixture(params=[httpx, httpx2], ids=lambda library: library.__name__)
def library(request: pytest.FixtureRequest) -> Any:
    """Give either library: one transport serves both."""
    return request.param


def client(library: Any, loop: LoopThread, app: ASGIApp, **options: Any) -> Any:
    """Return a client of the application."""
    return library.Client(transport=InProcessTransport(loop, lambda: app, KERNEL), base_url=URL, **options)


def async_client(library: Any, loop: LoopThread, app: ASGIApp, **options: Any) -> Any:
    """Return an asynchronous client of the application."""
    return library.AsyncClient(transport=AsyncInProcessTransport(loop, lambda: app, KERNEL), base_url=URL, **options)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what came."""
    message = await receive()
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "kind": dict(scope["headers"]).get(b"x-kind", b"").decode(),
        "body": message["body"].decode(),
        "user": scope[PRINCIPAL].user,
        "thread": threading.current_thread().name,
    }
    await send(START)
    await send({"type": "http.response.body", "body": msgspec.json.encode(seen)})


class Slow:
    """An application that sends `one`, waits to be let on, sends `two`; it notes when it has cleaned up."""

    def __init__(self, loop: LoopThread) -> None:
        self._loop = loop
        self._go_on = asyncio.Event()
        self.cleaned_up = False

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Answer in two pieces."""
        try:
            await send(START)
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            await self._go_on.wait()
            await send({"type": "http.response.body", "body": b"two"})
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.02)
            self.cleaned_up = True

    def go_on(self) -> None:
        """Let it send its second piece."""
        self._loop.portal.call(self._go_on.set)


class Mute:
    """An application that never answers."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.cancelled = False

    async def __call__(self, *_: object) -> None:
        """Wait for ever."""
        self.called.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.cancelled = True


@pytest.fixture
def slow(loop: LoopThread) -> Slow:
    """Give a slow application."""
    return Slow(loop)


def test_a_request(library: Any, loop: LoopThread) -> None:
    """All of it reaches the application, on the loop's thread, with who is calling."""
    with client(library, loop, echo) as http:
        response = http.post("/a b/ü?q=1&q=2", content="안녕", headers={"X-Kind": "sync"})
    assert response.headers["x-kind"] == "test"
    assert response.json() == {
        "method": "POST",
        "path": "/a b/ü",
        "query": "q=1&q=2",
        "kind": "sync",
        "body": "안녕",
        "user": "kernel",
        "thread": "agentbench",
    }


@pytest.mark.anyio
async def test_an_async_request(library: Any, loop: LoopThread) -> None:
    """The same from a running event loop."""
    async with async_client(library, loop, echo) as http:
        response = await http.put("/x", content="hi", headers={"X-Kind": "async"})
    seen = response.json()
    assert (seen["method"], seen["path"], seen["body"], seen["kind"]) == ("PUT", "/x", "hi", "async")
    assert seen["thread"] == "agentbench"


def test_it_streams(library: Any, loop: LoopThread, slow: Slow) -> None:
    """The first piece is here before the second is made."""
    with client(library, loop, slow) as http, http.stream("GET", "/") as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"one"
        slow.go_on()
        assert list(pieces) == [b"two"]


@pytest.mark.anyio
async def test_it_streams_asynchronously(library: Any, loop: LoopThread, slow: Slow) -> None:
    """The same from a running event loop."""
    async with async_client(library, loop, slow) as http, http.stream("GET", "/") as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"one"
        slow.go_on()
        assert [piece async for piece in pieces] == [b"two"]


def test_closing_early(library: Any, loop: LoopThread, slow: Slow) -> None:
    """The request is cancelled and has cleaned up when the response is closed."""
    with client(library, loop, slow) as http, http.stream("GET", "/") as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"one"
        assert not slow.cleaned_up
    assert slow.cleaned_up


@pytest.mark.anyio
async def test_closing_early_asynchronously(library: Any, loop: LoopThread, slow: Slow) -> None:
    """The same from a running event loop."""
    async with async_client(library, loop, slow) as http, http.stream("GET", "/") as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"one"
        assert not slow.cleaned_up
    assert slow.cleaned_up


@pytest.mark.anyio
async def test_a_cancelled_request(library: Any, loop: LoopThread) -> None:
    """Whoever gives up before the answer has begun cancels it too."""
    app = Mute()
    async with async_client(library, loop, app) as http:
        request = asyncio.create_task(http.get("/"))
        await asyncio.to_thread(app.called.wait, 5)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    assert app.cancelled


@pytest.mark.parametrize("first", [True, False])
def test_a_timeout(library: Any, loop: LoopThread, slow: Slow, *, first: bool) -> None:
    """The client's read timeout holds for the first piece and for each that follows; the request is cancelled."""
    app = Mute() if first else slow
    with client(library, loop, app, timeout=0.05) as http, pytest.raises(library.ReadTimeout):
        http.get("/")
    assert getattr(app, "cancelled", slow.cleaned_up)


@pytest.mark.anyio
@pytest.mark.parametrize("first", [True, False])
async def test_an_async_timeout(library: Any, loop: LoopThread, slow: Slow, *, first: bool) -> None:
    """The same from a running event loop."""
    app = Mute() if first else slow
    async with async_client(library, loop, app, timeout=0.05) as http:
        with pytest.raises(library.ReadTimeout):
            await http.get("/")
    assert getattr(app, "cancelled", slow.cleaned_up)


async def silent(*_: object) -> None:
    """Answer nothing at all."""


async def broken(*_: object) -> None:
    """Fail before anything is sent."""
    raise ZeroDivisionError("over there")


@pytest.mark.parametrize(("app", "error"), [(silent, "RemoteProtocolError"), (broken, "ZeroDivisionError")])
def test_no_answer(library: Any, loop: LoopThread, app: ASGIApp, error: str) -> None:
    """An application that ends without an answer is an error; so is one that fails."""
    with client(library, loop, app) as http, pytest.raises(getattr(library, error, ZeroDivisionError)):
        http.get("/")


@pytest.mark.anyio
@pytest.mark.parametrize(("app", "error"), [(silent, "RemoteProtocolError"), (broken, "ZeroDivisionError")])
async def test_no_async_answer(library: Any, loop: LoopThread, app: ASGIApp, error: str) -> None:
    """The same from a running event loop."""
    async with async_client(library, loop, app) as http:
        with pytest.raises(getattr(library, error, ZeroDivisionError)):
            await http.get("/")


@pytest.mark.anyio
async def test_within_an_event_loop(library: Any, loop: LoopThread) -> None:
    """A plain client works there, on its thread or beside it."""
    with client(library, loop, echo) as http:
        assert http.get("/x").json()["path"] == "/x"
        assert (await asyncio.to_thread(http.get, "/y")).json()["path"] == "/y"


def test_many_threads(library: Any, loop: LoopThread) -> None:
    """One client serves several threads; each has its own answers."""
    paths = [f"/{number}" for number in range(64)]
    with client(library, loop, echo) as http, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda path: http.get(path).json()["path"], paths)) == paths


@pytest.mark.anyio
async def test_many_at_once(library: Any, loop: LoopThread) -> None:
    """Answers that wait don't wait for each other: all have begun before any ends."""
    apps = [Slow(loop) for _ in range(8)]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(async_client(library, loop, app)) for app in apps]
        responses = [await stack.enter_async_context(each.stream("GET", "/")) for each in clients]
        for app in apps:
            app.go_on()
        assert [await response.aread() for response in responses] == [b"onetwo"] * 8
