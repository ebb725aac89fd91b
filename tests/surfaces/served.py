"""The gateway on a port of the loopback interface, for programs that need a socket."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from agentbench.auth.principal import KERNEL
from agentbench.gateway.identity import PRINCIPAL
from agentbench.surfaces import AGENTS_API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.auth.principal import Principal

__all__ = ["served"]


class _As:
    """Lets every request be somebody's."""

    def __init__(self, app: ASGIApp, principal: Principal) -> None:
        self._app, self._principal = app, principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[PRINCIPAL] = self._principal
        await self._app(scope, receive, send)


@contextmanager
def served(app: ASGIApp, principal: Principal = KERNEL) -> Iterator[str]:
    """Serve the application; give the address of its API, without the scheme."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # A validator that thinks for long between two requests still finds its connection.
        settings = uvicorn.Config(_As(app, principal), log_level="error", lifespan="off", timeout_keep_alive=60)
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}{AGENTS_API}"
        finally:
            server.should_exit = True
            thread.join()
