"""Embedding and reranking over HTTP: what is sent where, and what becomes of the answers."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from tests.providers.upstream import reply

from agentbench.config import Deployment, Endpoint
from agentbench.errors import InvalidRequest, UnknownName, UpstreamGarbled, UpstreamRefused, UpstreamRejected
from agentbench.providers import Providers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.providers.upstream import Upstream

    from agentbench.providers.embedding import EmbeddingProvider
    from agentbench.providers.http import Http

    Of = Callable[..., tuple[EmbeddingProvider, Endpoint]]

pytestmark = pytest.mark.anyio

ROWS = [[3.0, 4.0], [0.5, -1.0]]
OPENAI = {
    "data": [{"index": 1, "embedding": ROWS[1]}, {"index": 0, "embedding": ROWS[0]}],
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}


@pytest.fixture
def of(http: Http, endpoint: Endpoint, upstream: Upstream) -> Of:
    """Return a function that gives the embedder of a provider, and the endpoint where the upstream answers."""

    def made(provider: str, **changes: Any) -> tuple[EmbeddingProvider, Endpoint]:
        there = msgspec.structs.replace(endpoint, provider=provider, base_url=upstream.url, **changes)
        return Providers(http).embedding(there), there

    return made


def json(value: object) -> bytes:
    """Return JSON."""
    return msgspec.json.encode(value)


def sent(upstream: Upstream) -> tuple[bytes, dict[str, Any]]:
    """Return the last request's head, and its body."""
    head, _, body = upstream.requests[-1].partition(b"\r\n\r\n")
    return head, msgspec.json.decode(body, type=dict[str, Any])


@pytest.mark.parametrize("provider", ["openai_chat", "openai_responses"])
async def test_openai(provider: str, of: Of, upstream: Upstream) -> None:
    """OpenAI's shape goes out with the key; rows come back in the order of their texts, with the tokens."""
    upstream.answers = [reply(body=json(OPENAI))]
    embedder, endpoint = of(provider, add_params={"temperature": 1}, drop_params=("user",))
    made = await embedder.embed(endpoint, "m", ["a", "b"], "query", dimensions=2)
    head, body = sent(upstream)
    assert head.startswith(b"POST /v1/embeddings HTTP/1.1\r\n")
    assert b"authorization: bearer k3y-of-acme-0123456789" in head.lower()
    assert body == {"model": "m", "input": ["a", "b"], "dimensions": 2}
    assert made.vectors.tolist() == ROWS
    assert (made.vectors.dtype, made.input_tokens) == (np.float32, 7)


async def test_base64(of: Of, upstream: Upstream) -> None:
    """Vectors may come as base64 of little-endian floats, and without index or usage."""
    rows = [{"embedding": b64encode(np.array(row, "<f4").tobytes()).decode()} for row in ROWS]
    upstream.answers = [reply(body=json({"data": rows}))]
    embedder, endpoint = of("openai_chat")
    made = await embedder.embed(endpoint, "m", ["a", "b"], "passage")
    assert made.vectors.tolist() == ROWS
    assert made.input_tokens is None


async def test_azure(of: Of, upstream: Upstream) -> None:
    """On Azure the deployment is asked, at its own address and version, with the key in Azure's header."""
    upstream.answers = [reply(body=json(OPENAI))]
    there = Deployment(name="embed-1", base_url=f"{upstream.url}/openai/deployments/embed-1", api_version="2024-10-21")
    embedder, endpoint = of("azure_openai", deployments={"e3": there})
    await embedder.embed(endpoint, "e3", ["a", "b"], "query")
    head, body = sent(upstream)
    assert head.startswith(b"POST /v1/openai/deployments/embed-1/embeddings?api-version=2024-10-21 HTTP")
    assert b"api-key: k3y-of-acme-0123456789" in head.lower()
    assert body == {"model": "embed-1", "input": ["a", "b"]}
    with pytest.raises(UnknownName, match="e3"):
        await embedder.embed(endpoint, "e4", ["a"], "query")


async def test_ollama(of: Of, upstream: Upstream) -> None:
    """Ollama's own API is asked, whatever path the base URL has."""
    upstream.answers = [reply(body=json({"embeddings": ROWS, "prompt_eval_count": 5}))]
    embedder, endpoint = of("ollama")
    made = await embedder.embed(endpoint, "bge-m3", ["a", "b"], "query", dimensions=2)
    head, body = sent(upstream)
    assert head.startswith(b"POST /api/embed HTTP/1.1\r\n")
    assert body == {"model": "bge-m3", "input": ["a", "b"], "dimensions": 2}
    assert made.vectors.tolist() == ROWS
    assert made.input_tokens == 5


async def test_ollama_without_the_model(of: Of, upstream: Upstream) -> None:
    """A model that Ollama doesn't have comes with the command that fetches it."""
    upstream.answers = [reply(404, b'{"error":"model \\"bge-m3\\" not found"}')]
    embedder, endpoint = of("ollama")
    with pytest.raises(UpstreamRejected, match="ollama pull bge-m3"):
        await embedder.embed(endpoint, "bge-m3", ["a"], "query")


async def test_google(of: Of, upstream: Upstream) -> None:
    """Google is told what each text is for; it tells no tokens."""
    upstream.answers = [reply(body=json({"embeddings": [{"values": row} for row in ROWS]}))]
    embedder, endpoint = of("google")
    made = await embedder.embed(endpoint, "gemini-embedding-001", ["a", "b"], "passage", dimensions=2)
    head, body = sent(upstream)
    model = "models/gemini-embedding-001"
    shared = {"model": model, "taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 2}
    assert head.startswith(f"POST /v1/{model}:batchEmbedContents HTTP".encode())
    assert b"x-goog-api-key: k3y-of-acme-0123456789" in head.lower()
    assert body["requests"] == [shared | {"content": {"parts": [{"text": text}]}} for text in "ab"]
    assert made.vectors.tolist() == ROWS
    assert made.input_tokens is None


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b"[]",
        b"not JSON",
        b"<html>Sign in</html>",
        json({"error": {"message": "no"}}),
        json({"data": []}),
        json({"data": [{"index": 0, "embedding": [1, 2]}]}),
        json({"data": [{"embedding": []}, {"embedding": []}]}),
        json({"data": [{"embedding": [1]}, {"embedding": [1, 2]}]}),
        json({"data": [{"embedding": [1e300]}, {"embedding": [1]}]}),
        json({"data": [{"embedding": [None]}, {"embedding": [1]}]}),
        json({"data": [{"embedding": "AAA"}, {"embedding": "AAAA"}]}),
    ],
)
async def test_garbled(answer: bytes, of: Of, upstream: Upstream) -> None:
    """What isn't one finite vector a text, all of one length, is an error that names the endpoint."""
    upstream.answers = [reply(body=answer)]
    embedder, endpoint = of("openai_chat")
    with pytest.raises(UpstreamGarbled, match=r"^acme "):
        await embedder.embed(endpoint, "m", ["a", "b"], "query")


async def test_key_is_masked(of: Of, upstream: Upstream) -> None:
    """A refusal that repeats the key is shown without it."""
    upstream.answers = [reply(401, b'{"error":{"message":"Wrong key k3y-of-acme-0123456789"}}')]
    embedder, endpoint = of("openai_chat")
    with pytest.raises(UpstreamRefused) as caught:
        await embedder.embed(endpoint, "m", ["a"], "query")
    assert "k3y-of" not in caught.value.message


@pytest.mark.parametrize("key", ["results", "data"])
async def test_rerank(key: str, http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """Scores come back in the order of their texts, however they are sorted upstream."""
    rows = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": -2}]
    upstream.answers = [reply(body=json({key: rows, "usage": {"total_tokens": 9}}))]
    there = msgspec.structs.replace(endpoint, base_url=upstream.url)
    made = await Providers(http).reranking(there).rerank(there, "r", "q", ["a", "b"])
    head, body = sent(upstream)
    assert head.startswith(b"POST /v1/rerank HTTP/1.1\r\n")
    assert body == {"model": "r", "query": "q", "documents": ["a", "b"], "top_n": 2}
    assert made == ((-2.0, 0.9), 9)


@pytest.mark.parametrize("rows", [[], [{"index": 0, "relevance_score": 1}], [{"index": 5, "relevance_score": 1}] * 2])
async def test_rerank_of_some(rows: list[Any], http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """An answer that leaves a text out is an error."""
    upstream.answers = [reply(body=json({"results": rows}))]
    there = msgspec.structs.replace(endpoint, base_url=upstream.url)
    with pytest.raises(UpstreamGarbled, match="didn't score each text"):
        await Providers(http).reranking(there).rerank(there, "r", "q", ["a", "b"])


@pytest.mark.parametrize(
    ("provider", "embeds", "reranks"),
    [("anthropic", False, False), ("bedrock", False, False), ("scripted", False, False), ("ollama", True, False)],
)
def test_who_can(provider: Any, embeds: bool, reranks: bool) -> None:  # noqa: FBT001 - a table's columns
    """An endpoint whose API doesn't embed or rerank says so."""
    providers, endpoint = Providers(), Endpoint(name="there", provider=provider)
    for find, can, word in ((providers.embedding, embeds, "embeds"), (providers.reranking, reranks, "reranks")):
        if not can:
            with pytest.raises(InvalidRequest, match=f"there has no API that {word}"):
                find(endpoint)
        else:
            assert find(endpoint) is providers.of(endpoint)
