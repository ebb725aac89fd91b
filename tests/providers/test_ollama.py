"""Requests as the body of Ollama's own API, and what its server's errors become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.providers.upstream import reply, stream

from agentbench.config import Endpoint
from agentbench.errors import UpstreamGarbled, UpstreamRejected
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
    PlainTextFormat,
    ReasoningConfig,
    TextConfig,
    TextFormat,
    ToolChoice,
)
from agentbench.providers.http import Http
from agentbench.providers.ollama import Ollama

if TYPE_CHECKING:
    from tests.providers.upstream import Upstream

LOOK = FunctionTool(name="look", description="Looks.", parameters={"type": "object"}, strict=True)
NOW = FunctionTool(name="now")
WIRE_LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
}
WIRE_NOW = {"type": "function", "function": {"name": "now"}}
DONE = b'{"message":{"role":"assistant","content":""},"done":true}\n'


@pytest.fixture
def ollama(http: Http) -> Ollama:
    """Return the provider."""
    return Ollama(http)


def encoded(**given: Any) -> dict[str, Any]:
    """Return the body for a request, as the upstream reads it."""
    endpoint = Endpoint(name="ollama", provider="ollama")
    request = CreateResponse(model="small", input=(user_message("Hi"),), **given)
    body = Ollama(Http()).encode(request, endpoint)
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, Any])


def at(endpoint: Endpoint, url: str) -> Endpoint:
    """Return the endpoint at another address."""
    return msgspec.structs.replace(endpoint, base_url=url)


def test_smallest_body() -> None:
    """What wasn't asked for isn't in the body."""
    assert encoded() == {"model": "small", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def test_options() -> None:
    """Sampling goes among the options, zeros included."""
    body = encoded(
        temperature=0.0,
        top_p=0.5,
        presence_penalty=0.0,
        frequency_penalty=-1.0,
        max_output_tokens=9,
        stop=("END",),
        seed=0,
    )
    assert body["options"] == {
        "temperature": 0.0,
        "top_p": 0.5,
        "presence_penalty": 0.0,
        "frequency_penalty": -1.0,
        "num_predict": 9,
        "stop": ["END"],
        "seed": 0,
    }


def test_logprobs() -> None:
    """Log probabilities are asked for beside the options."""
    body = encoded(top_logprobs=2)
    assert (body["logprobs"], body["top_logprobs"], "options" in body) == (True, 2, False)


@pytest.mark.parametrize(
    ("effort", "think"),
    [("none", False), ("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "high")],
)
def test_think(effort: Any, think: object) -> None:
    """The effort is how hard to think."""
    assert encoded(reasoning=ReasoningConfig(effort=effort))["think"] == think


def test_no_word_of_thinking() -> None:
    """Without an effort nothing is said of thinking: models that can't would refuse."""
    assert "think" not in encoded(reasoning=ReasoningConfig(summary="auto"))


@pytest.mark.parametrize(
    ("choice", "tools"),
    [
        ("auto", [WIRE_LOOK, WIRE_NOW]),
        ("required", [WIRE_LOOK, WIRE_NOW]),
        ("none", None),
        (FunctionToolChoice(name="now"), [WIRE_NOW]),
        (AllowedTools(tools=(FunctionToolChoice(name="now"),)), [WIRE_NOW]),
        (AllowedTools(tools=(FunctionToolChoice(name="now"),), mode="none"), None),
        (AllowedTools(tools=(FunctionToolChoice(name="other"),)), None),
    ],
)
def test_tools(choice: ToolChoice, tools: list[Any] | None) -> None:
    """The model sees the tools that it may call."""
    body = encoded(tools=(LOOK, NOW), tool_choice=choice)
    assert (body.get("tools"), "tool_choice" in body) == (tools, False)


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (PlainTextFormat(), None),
        (JsonObjectFormat(), "json"),
        (JsonSchemaFormat(schema={"type": "object"}), {"type": "object"}),
        (JsonSchemaFormat(), "json"),
    ],
)
def test_format(form: TextFormat, wire: object) -> None:
    """The form of the text is a schema, any JSON, or nothing."""
    assert encoded(text=TextConfig(format=form)).get("format") == wire


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/api"])
async def test_address(ollama: Ollama, endpoint: Endpoint, upstream: Upstream, path: str) -> None:
    """The path of one of Ollama's APIs at the end of the base URL makes no difference."""
    upstream.answers = [stream(DONE, kind="application/x-ndjson")]
    async with ollama.open({"model": "small"}, at(endpoint, upstream.url.removesuffix("/v1") + path)) as chunks:
        assert [chunk async for chunk in chunks] == [DONE]
    head = upstream.requests[0].lower()
    assert head.startswith(b"post /api/chat http/1.1\r\n")
    assert b"\r\naccept: application/x-ndjson\r\n" in head
    assert b"\r\nauthorization: bearer k3y-of-acme-0123456789\r\n" in head


@pytest.mark.anyio
async def test_no_key(ollama: Ollama, endpoint: Endpoint, upstream: Upstream) -> None:
    """Without a key none is sent."""
    upstream.answers = [stream(DONE, kind="application/x-ndjson")]
    keyless = msgspec.structs.replace(endpoint, base_url=upstream.url, api_key=None)
    async with ollama.open({"model": "small"}, keyless):
        pass
    assert b"authorization" not in upstream.requests[0].lower()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "said", ["model 'qwen3:8b' not found", 'model "qwen3:8b" not found, try pulling it first'], ids=["new", "old"]
)
async def test_missing_model(ollama: Ollama, endpoint: Endpoint, upstream: Upstream, said: str) -> None:
    """A model that isn't there is an error that says how to get it."""
    upstream.answers = [reply(404, msgspec.json.encode({"error": said}))]
    with pytest.raises(UpstreamRejected) as caught:
        async with ollama.open({"model": "qwen3:8b"}, at(endpoint, upstream.url)):
            pass
    assert str(caught.value) == "acme doesn't have the model 'qwen3:8b'. Fetch it: ollama pull qwen3:8b"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "404 page not found"), (400, '"llama2" does not support thinking'), (400, "model 'a' not found in b")],
)
async def test_other_errors(ollama: Ollama, endpoint: Endpoint, upstream: Upstream, status: int, said: str) -> None:
    """Any other error is told as it is."""
    upstream.answers = [reply(status, msgspec.json.encode({"error": said}))]
    with pytest.raises(UpstreamRejected, match=said):
        async with ollama.open({"model": "llama2"}, at(endpoint, upstream.url)):
            pass


@pytest.mark.anyio
async def test_web_page(ollama: Ollama, endpoint: Endpoint, upstream: Upstream) -> None:
    """A web page in place of an answer is told before the answer begins."""
    upstream.answers = [reply(200, b"<html></html>", kind="text/html")]
    with pytest.raises(UpstreamGarbled, match="Check baseURL"):
        async with ollama.open({"model": "small"}, at(endpoint, upstream.url)):
            pass


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"models": [{"name": "qwen3:8b"}, {"name": "gemma3:4b", "size": 1}]}, ("gemma3:4b", "qwen3:8b")),
        ({"models": []}, ()),
        ({"models": None}, ()),
        ([], ()),
    ],
)
async def test_models(
    ollama: Ollama, endpoint: Endpoint, upstream: Upstream, body: object, names: tuple[str, ...]
) -> None:
    """The models are those that the server has pulled."""
    upstream.answers = [reply(200, msgspec.json.encode(body))]
    assert await ollama.models(at(endpoint, upstream.url)) == names
    assert upstream.requests[0].startswith(b"GET /api/tags ")
