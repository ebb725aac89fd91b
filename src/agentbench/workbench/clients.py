"""The gateway of a workbench, and the ways to it: SDKs in this process, and a port."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest
from agentbench.workbench.parts import Parts

if TYPE_CHECKING:
    import anthropic as anthropic_sdk
    import openai as openai_sdk
    from starlette.types import ASGIApp

    from agentbench.gateway.serve import LoopServer

__all__ = ["Clients"]


class Clients(Parts):
    """Lets other programs and SDKs ask."""

    @cached_property
    def app(self) -> ASGIApp:
        """The gateway as an ASGI application."""
        from agentbench.gateway.app import create_app

        return create_app(self._runner)

    def transport(self) -> Any:
        """Return a transport for any `httpx2.Client` or `httpx.Client`: it reaches the gateway with no socket.

        The host in an address means nothing; the path begins with `/api/agents/v1`.
        """
        from agentbench.gateway.transports import InProcessTransport

        return InProcessTransport(self._open_loop(), lambda: self.app, KERNEL)

    def async_transport(self) -> Any:
        """Return the transport for an `httpx2.AsyncClient` or `httpx.AsyncClient`."""
        from agentbench.gateway.transports import AsyncInProcessTransport

        return AsyncInProcessTransport(self._open_loop(), lambda: self.app, KERNEL)

    def openai(self) -> openai_sdk.OpenAI:
        """Return the openai SDK's client, talking to the gateway in this process with no socket."""
        from agentbench.gateway import clients

        return clients.openai(self.transport())

    def async_openai(self) -> openai_sdk.AsyncOpenAI:
        """Return the asynchronous openai client, talking to the gateway in this process with no socket."""
        from agentbench.gateway import clients

        return clients.async_openai(self.async_transport())

    def anthropic(self) -> anthropic_sdk.Anthropic:
        """Return the anthropic SDK's client, talking to the gateway in this process; needs the extra `anthropic`."""
        from agentbench.gateway import clients

        return clients.anthropic(self.transport())

    def async_anthropic(self) -> anthropic_sdk.AsyncAnthropic:
        """Return the asynchronous anthropic client, talking to the gateway in this process."""
        from agentbench.gateway import clients

        return clients.async_anthropic(self.async_transport())

    def serve(self, *, host: str = "127.0.0.1", port: int = 8017) -> LoopServer:
        """Listen on a port, 0 for any free one, and answer callers over HTTP until `server.stop()` or `close`.

        Whoever comes that way needs a key. Raises `InvalidRequest` if the port is taken, or if it serves already.
        """
        from agentbench.gateway.serve import LoopServer

        if self.server is not None and self.server.is_running:
            raise InvalidRequest(f"This workbench is served already, at {self.server.url}. Stop that first.")
        self.server = LoopServer(self._open_loop(), self.app, self._runner, host=host, port=port)
        return self.server
