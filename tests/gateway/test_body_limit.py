"""Bodies that are too large, by what they declare and by what they are."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from agentbench.errors import RequestTooLarge
from agentbench.gateway.body_limit import BodyLimit

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio

MB = 1024 * 1024


class Upload:
    """A client that sends a body in pieces of a megabyte, and an application that reads it."""

    def __init__(self, pieces: int, declared: bytes | None = None) -> None:
        self.left = pieces
        headers = [] if declared is None else [(b"content-length", declared)]
        self.scope = {"type": "http", "method": "POST", "path": "/files", "headers": headers}
        self.read = b""

    async def receive(self) -> Message:
        """Give the next piece."""
        self.left -= 1
        return {"type": "http.request", "body": b"x" * MB, "more_body": self.left > 0}

    async def app(self, scope: Scope, receive: Receive, _: Send) -> None:
        """Read it all."""
        self.read = await Request(scope, receive).body()

    async def send_through(self, largest: int = 3 * MB) -> None:
        """Send it through the limit."""
        send: Any = None
        await BodyLimit(self.app, largest=largest)(self.scope, self.receive, send)


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as servers do."""
    return "asyncio"


@pytest.mark.parametrize("declared", [None, b"3145728", b"5", b"x", b"-1"])
async def test_a_body_within_the_limit(declared: bytes | None) -> None:
    """It is read whole; a limit is no limit on what was declared wrongly."""
    upload = Upload(3, declared)
    await upload.send_through()
    assert len(upload.read) == 3 * MB


@pytest.mark.parametrize("declared", [None, b"4194304", b"1"])
async def test_a_body_over_the_limit(declared: bytes | None) -> None:
    """The application's reading fails; the rest of the body is thrown away, so that the client hears of it."""
    upload = Upload(6, declared)
    with pytest.raises(RequestTooLarge, match="larger than 3 MB"):
        await upload.send_through()
    assert (upload.read, upload.left) == (b"", 0)


@pytest.mark.parametrize(("path", "read"), [("/files", 6 * MB), ("/other", 0)])
async def test_an_upload(path: str, read: int) -> None:
    """A file, with some room for the form around it, has a limit of its own."""
    upload = Upload(6)
    limit = BodyLimit(upload.app, largest=3 * MB, uploads={"/files"}, largest_upload=lambda: 5 * MB)
    send: Any = None
    with nullcontext() if read else pytest.raises(RequestTooLarge, match="larger than 3 MB"):
        await limit(upload.scope | {"path": path}, upload.receive, send)
    assert len(upload.read) == read


async def test_an_upload_over_its_limit() -> None:
    """The answer names the limit for files."""
    upload = Upload(7)
    limit = BodyLimit(upload.app, largest=3 * MB, uploads={"/files"}, largest_upload=lambda: 5 * MB)
    send: Any = None
    with pytest.raises(RequestTooLarge, match="larger than 5 MB"):
        await limit(upload.scope, upload.receive, send)


async def test_a_body_without_end() -> None:
    """It is not read for ever."""
    upload = Upload(1_000_000)
    with pytest.raises(RequestTooLarge):
        await upload.send_through()
    assert 1_000_000 - upload.left == 12


async def test_what_has_no_body() -> None:
    """Other kinds of connections pass."""
    upload = Upload(0)
    upload.scope["type"] = "lifespan"
    seen: list[Any] = []

    async def app(*parts: Any) -> None:
        seen.extend(parts)

    send: Any = None
    await BodyLimit(app)(upload.scope, upload.receive, send)
    assert seen[1] == upload.receive
