"""Thoughts that a provider sealed go back to that provider, and to no other."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import pytest
from tests.providers.moved import SEALED, SEALS, THREADS, conversation

from agentbench.config import Deployment, Endpoint
from agentbench.protocol import CreateResponse
from agentbench.protocol.request import FunctionTool, ReasoningConfig
from agentbench.providers import Providers

PROVIDERS = Providers()
TOOLS = (FunctionTool(name="get_weather", parameters={"type": "object", "properties": {}}),)


class Reader(NamedTuple):
    """An endpoint, a model of it, and whose seals it reads."""

    endpoint: Endpoint
    model: str = "small"
    reads: str | None = None


def azure(*, responses: bool) -> Endpoint:
    """Return an endpoint with one deployment."""
    small = Deployment(name="small-1", base_url="https://acme.example/openai/v1", use_responses_api=responses)
    return Endpoint(name="azureOpenAI", provider="azure_openai", deployments={"small": small})


READERS = {
    "anthropic": Reader(Endpoint(name="a", provider="anthropic"), "claude-sonnet-4-5", reads="anthropic"),
    "assistants": Reader(THREADS, "asst_1", reads="assistants"),
    "azure": Reader(azure(responses=False)),
    "azure responses": Reader(azure(responses=True), reads="openai_responses"),
    "bedrock": Reader(Endpoint(name="b", provider="bedrock"), reads="bedrock"),
    "bedrock chat": Reader(Endpoint(name="b", provider="bedrock", base_url="https://b.example/openai/v1")),
    "google": Reader(Endpoint(name="g", provider="google"), "gemini-3-pro", reads="google"),
    "ollama": Reader(Endpoint(name="o", provider="ollama")),
    "openai_chat": Reader(Endpoint(name="c", provider="openai_chat")),
    "openai_responses": Reader(Endpoint(name="r", provider="openai_responses"), reads="openai_responses"),
}


def encoded(reader: Reader, *seals: str) -> bytes:
    """Return what would be sent of a conversation with thoughts under these seals."""
    request = CreateResponse(
        model=reader.model, input=conversation(*seals), tools=TOOLS, reasoning=ReasoningConfig(effort="high")
    )
    return msgspec.json.encode(PROVIDERS.of(reader.endpoint).encode(request, reader.endpoint), enc_hook=dict)


@pytest.mark.parametrize("seal", SEALS)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_each_seal(reader: Reader, seal: str) -> None:
    """Whoever takes over a conversation sees its own seals again; of a thought under another's, nothing is left."""
    is_own = SEALS[seal] == reader.reads
    sent = encoded(reader, seal)
    assert (SEALED.encode() in sent) == is_own
    assert is_own or sent == encoded(reader)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_all_seals(reader: Reader) -> None:
    """A conversation that has been everywhere may go anywhere."""
    own = [seal for seal, provider in SEALS.items() if provider == reader.reads]
    assert encoded(reader, *SEALS) == encoded(reader, *own)
