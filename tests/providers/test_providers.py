"""The table that finds an endpoint's provider."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from agentbench.errors import InvalidRequest
from agentbench.providers import Providers
from agentbench.providers.http import Http
from agentbench.providers.openai_chat import OpenAIChat
from agentbench.providers.openai_responses import OpenAIResponses
from agentbench.providers.scripted import Scripted

if TYPE_CHECKING:
    from agentbench.config import Endpoint


@pytest.mark.parametrize(
    ("name", "kind"),
    [("openai_chat", OpenAIChat), ("openai_responses", OpenAIResponses), ("scripted", Scripted)],
)
def test_each_format(endpoint: Endpoint, name: str, kind: type) -> None:
    """Each wire format has its class, and one of it serves all endpoints."""
    providers = Providers()
    there = msgspec.structs.replace(endpoint, provider=name)
    assert type(providers.of(there)) is kind
    assert providers.of(there) is providers.of(msgspec.structs.replace(there, name="other"))


def test_unsupported(endpoint: Endpoint) -> None:
    """An endpoint that can't be used yet says so itself."""
    with pytest.raises(InvalidRequest, match="Not yet") as caught:
        Providers().of(msgspec.structs.replace(endpoint, unsupported="Not yet."))
    assert caught.value.param == "model"


@pytest.mark.anyio
async def test_closing(endpoint: Endpoint) -> None:
    """Closing closes the client that all share; with none made there is nothing to close."""
    await Providers().aclose()
    http = Http()
    providers = Providers(http)
    provider = providers.of(endpoint)
    await providers.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await provider.models(endpoint)


def test_import_is_cheap() -> None:
    """The table, a script's provider and the decoders come without the HTTP client."""
    names = ", ".join(f"agentbench.providers.{name}" for name in ("scripted", "chat_stream", "responses_stream"))
    code = f"import sys, {names}; print('httpx2' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
