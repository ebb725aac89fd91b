"""Anthropic's Messages and OpenAI's Embeddings where Open WebUI has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from tests.surfaces.webui.library_app import searchable

if TYPE_CHECKING:
    import httpx2
    from tests.runner.fakes import FakeProvider

    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio
ASKED: dict[str, Any] = {
    "model": "bot",
    "max_tokens": 99,
    "messages": [{"role": "user", "content": "How fast are falcons?"}],
}


@pytest.fixture
def client(ann: httpx2.AsyncClient) -> anthropic.AsyncAnthropic:
    """Give the anthropic SDK's client, which objects to anything that its types don't know."""
    client = anthropic.AsyncAnthropic(base_url="http://127.0.0.1/api", api_key="none", http_client=ann, max_retries=0)
    client._strict_response_validation = True
    return client


async def test_the_sdk(client: anthropic.AsyncAnthropic) -> None:
    """The SDK works with the address that Open WebUI gives it: whole, as a stream, and to count."""
    answer = await client.messages.create(**ASKED)
    assert answer.content[0].text == "one two three"
    async with client.messages.stream(**ASKED) as stream:
        assert [text async for text in stream.text_stream] == ["one ", "two ", "three"]
    assert (await client.messages.count_tokens(model="bot", messages=ASKED["messages"])).input_tokens == 6


async def test_errors(client: anthropic.AsyncAnthropic, ann: httpx2.AsyncClient) -> None:
    """They have Anthropic's shape, for that is what such clients read."""
    with pytest.raises(anthropic.NotFoundError) as raised:
        await client.messages.create(**ASKED | {"model": "nobody"})
    assert raised.value.body["error"]["type"] == "not_found_error"
    answer = await ann.post("/messages", json=ASKED | {"files": [{"type": "note"}]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request_error")


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/message"])
async def test_with_files(ann: httpx2.AsyncClient, runner: Runner, path: str) -> None:
    """Files are looked into, as in a chat."""
    file = await searchable(ann)
    body = ASKED | {"files": [{"type": "file", "id": file["id"], "context": "full"}]}
    assert (await ann.post(f"http://127.0.0.1{path}", json=body)).status_code == 200
    made: Any = runner.providers
    provider: FakeProvider = made.of(None)
    assert "Falcons are fast." in str(provider.requests[-1].input)


@pytest.mark.parametrize("path", ["/api/embeddings", "/api/v1/embeddings"])
async def test_embeddings_of_nobody(ann: httpx2.AsyncClient, path: str) -> None:
    """An unknown model gets the sentence that clients look for; no object at all is a validation error."""
    answer = await ann.post(f"http://127.0.0.1{path}", json={"model": "nobody", "input": "x"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Model not found"})
    answer = await ann.post(f"http://127.0.0.1{path}", content=b"[]")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body"])
    answer = await ann.post(f"http://127.0.0.1{path}", json={"model": "nobody"})
    assert (answer.status_code, isinstance(answer.json()["detail"], str)) == (400, True)
