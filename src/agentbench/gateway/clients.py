"""The clients of the openai and anthropic SDKs that talk to the gateway in this process."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx2

from agentbench.errors import MissingExtra

if TYPE_CHECKING:
    import anthropic as anthropic_sdk
    import openai as openai_sdk

    from agentbench.gateway.transports import AsyncInProcessTransport, InProcessTransport

__all__ = ["IN_PROCESS_URL", "anthropic", "async_anthropic", "async_openai", "openai"]

IN_PROCESS_URL = "http://agentbench.invalid/api/agents/v1"
"""Where the clients think they are; nothing is ever looked up or connected to."""

_ANTHROPIC_URL = IN_PROCESS_URL.removesuffix("/v1")  # the SDK adds it
_KEY = "in-process"


def openai(transport: InProcessTransport) -> openai_sdk.OpenAI:
    """Return the openai client over a transport."""
    import openai as sdk

    client = httpx2.Client(transport=transport, base_url=IN_PROCESS_URL)
    return sdk.OpenAI(base_url=IN_PROCESS_URL, api_key=_KEY, http_client=client, max_retries=0)


def async_openai(transport: AsyncInProcessTransport) -> openai_sdk.AsyncOpenAI:
    """Return the asynchronous openai client over a transport."""
    import openai as sdk

    client = httpx2.AsyncClient(transport=transport, base_url=IN_PROCESS_URL)
    return sdk.AsyncOpenAI(base_url=IN_PROCESS_URL, api_key=_KEY, http_client=client, max_retries=0)


def anthropic(transport: InProcessTransport) -> anthropic_sdk.Anthropic:
    """Return the anthropic client over a transport; raises `MissingExtra` where the SDK isn't installed."""
    _require_anthropic()
    import anthropic as sdk

    client = httpx2.Client(transport=transport, base_url=_ANTHROPIC_URL)
    return sdk.Anthropic(base_url=_ANTHROPIC_URL, api_key=_KEY, http_client=client, max_retries=0)


def async_anthropic(transport: AsyncInProcessTransport) -> anthropic_sdk.AsyncAnthropic:
    """Return the asynchronous anthropic client over a transport; raises as `anthropic` does."""
    _require_anthropic()
    import anthropic as sdk

    client = httpx2.AsyncClient(transport=transport, base_url=_ANTHROPIC_URL)
    return sdk.AsyncAnthropic(base_url=_ANTHROPIC_URL, api_key=_KEY, http_client=client, max_retries=0)


def _require_anthropic() -> None:
    if find_spec("anthropic") is None:
        raise MissingExtra("anthropic", "The anthropic client")
