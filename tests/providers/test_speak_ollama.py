"""The speaker of Ollama's API, as the `ollama` package's client hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.speak_ollama import Speaker
from tests.providers.speaker import KEY, SCENES, serving

ollama = pytest.importorskip("ollama")

if TYPE_CHECKING:
    from collections.abc import Iterator

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
HELLO = [{"role": "user", "content": "Hi"}]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the speaker."""
    with serving(Speaker().app) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    """Give the package's own client."""
    client = ollama.Client(host=url, headers={"authorization": f"Bearer {KEY}"})
    yield client
    client._client.close()


def test_whole(client: Any) -> None:
    """A whole answer tells its text, tokens and end."""
    said = client.chat("text", HELLO)
    told = (said.message.content, said.prompt_eval_count, said.eval_count, said.done_reason)
    assert told == ("Hello from here.", 12, 5, "stop")


def test_streamed(client: Any) -> None:
    """A streamed one comes in pieces, thoughts first."""
    parts = list(client.chat("thinks", HELLO, think=True, stream=True))
    assert [part.message.thinking for part in parts if part.message.thinking] == ["Let me see."]
    assert [part.message.content for part in parts] == ["", "42", ".", ""]


@pytest.mark.parametrize("stream", [False, True])
def test_calls(client: Any, stream: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """Calls come side by side, and their results are read in order."""
    parts = client.chat("calls", HELLO, tools=[WEATHER], stream=stream)
    messages = [part.message for part in (parts if stream else [parts])]
    calls = [call for message in messages for call in message.tool_calls or ()]
    assert [call.function.arguments for call in calls] == [{"city": "Seoul"}, {"city": "Jeju"}]
    asked = [*HELLO, ollama.Message(role="assistant", tool_calls=calls)]
    asked += [{"role": "tool", "tool_name": "get_weather", "content": each} for each in ("sun", "rain")]
    assert client.chat("calls", asked, tools=[WEATHER]).message.content == "Seoul: sun, Jeju: rain"


def test_image_and_schema(client: Any) -> None:
    """It sees images and writes by a schema."""
    seen = client.chat("sees", [{"role": "user", "content": "What?", "images": [PNG]}])
    written = client.chat("json", HELLO, format={"type": "object"}, options={"temperature": 0})
    assert (seen.message.content, written.message.content) == ("image/png 8", '{"city":"Seoul"}')


@pytest.mark.parametrize(
    ("model", "status"), [("nobody", 404), ("limited", 429), ("overloaded", 503), ("too_long", 400), ("calls", 400)]
)
def test_errors(client: Any, model: str, status: int) -> None:
    """Errors are Ollama's."""
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(model, HELLO)
    assert caught.value.status_code == status


def test_error_in_the_middle(client: Any) -> None:
    """An error in the middle of a stream reaches the client as one."""
    parts = client.chat("breaks", HELLO, stream=True)
    assert [next(parts).message.content for _ in range(2)] == ["So", " far"]
    with pytest.raises(ollama.ResponseError, match="an error was encountered"):
        next(parts)


@pytest.mark.parametrize(
    "extra", [{"seed": 1}, {"options": {"max_tokens": 1}}, {"messages": [{"role": "user", "a": 1}]}]
)
def test_unknown_keys(client: Any, extra: dict[str, Any]) -> None:
    """Keys that Ollama doesn't know are refused, wherever they are."""
    answer = client._client.post("/api/chat", json={"model": "text", "messages": HELLO, **extra})
    assert (answer.status_code, "Extra inputs" in answer.json()["error"]) == (400, True)


def test_list(client: Any) -> None:
    """The list names the scenes."""
    assert tuple(model.model for model in client.list().models) == SCENES


def test_wrong_key(url: str) -> None:
    """Another key is refused."""
    with ollama.Client(host=url, headers={"authorization": "Bearer no"})._client as http:
        assert http.get("/api/tags").status_code == 401
