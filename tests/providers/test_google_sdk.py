"""The speaker of the Gemini API is one: Google's own client talks with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google import genai
from google.genai import types
from google.genai.errors import ClientError, ServerError
from tests.providers.speak_google import CALL_SIGNATURE, Speaker
from tests.providers.speaker import KEY, SCENES, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOL = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather")])


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Return a server that plays the scenes."""
    return Speaker()


@pytest.fixture(scope="module")
def url(speaker: Speaker) -> Iterator[str]:
    """Return the address of that server, which runs."""
    with serving(speaker.app) as address:
        yield address


def client_of(url: str, version: str | None = None, key: str = KEY) -> genai.Client:
    """Return Google's client, which tries each request once."""
    once = types.HttpRetryOptions(attempts=1)
    return genai.Client(
        api_key=key, http_options=types.HttpOptions(base_url=url, api_version=version, retry_options=once)
    )


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[genai.Client]:
    """Return a client of the server."""
    with client_of(url) as made:
        yield made


@pytest.mark.parametrize("version", [None, "v1", "v1beta"])
@pytest.mark.parametrize("model", ["text", "models/text"])
def test_whole(url: str, version: str | None, model: str) -> None:
    """An answer comes whole, under each version of the API."""
    with client_of(url, version) as client:
        answer = client.models.generate_content(model=model, contents="Hi")
    assert (answer.text, answer.candidates[0].finish_reason) == ("Hello from here.", types.FinishReason.STOP)


def test_streamed(client: genai.Client) -> None:
    """An answer comes in pieces, the last of which tells how it ended."""
    pieces = list(client.models.generate_content_stream(model="cut", contents="Hi"))
    assert [piece.text for piece in pieces] == ["Once", " upon", None]
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


def test_usage(client: genai.Client) -> None:
    """Tokens are counted as the API counts them: thoughts beside what was said, the cached ones among the prompt's."""
    told = client.models.generate_content(model="cached", contents="Hi").usage_metadata
    assert (told.prompt_token_count, told.cached_content_token_count) == (1200, 1000)
    assert (told.candidates_token_count, told.thoughts_token_count, told.total_token_count) == (4, 3, 1207)


def test_chat_with_calls(client: genai.Client, speaker: Speaker) -> None:
    """The client brings back calls, signatures and results in a shape that the server takes."""
    chat = client.chats.create(model="calls", config=types.GenerateContentConfig(tools=[TOOL]))
    asked = chat.send_message("How is the weather?").function_calls
    results = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": "21"}))
        for call in asked
    ]
    assert chat.send_message(results).text == "Seoul: 21, Jeju: 21"
    assert speaker.seen[-1]["contents"][1]["parts"][0]["thoughtSignature"] == CALL_SIGNATURE


def test_thoughts(client: genai.Client) -> None:
    """Thoughts are marked, and a signature comes with the text."""
    answer = client.models.generate_content(model="thinks", contents="Hi")
    told = [
        (part.text, part.thought, part.thought_signature is not None) for part in answer.candidates[0].content.parts
    ]
    assert told == [("Let me see.", True, False), ("42.", None, True)]


@pytest.mark.parametrize(
    ("scene", "code", "status"),
    [
        ("limited", 429, "RESOURCE_EXHAUSTED"),
        ("too_long", 400, "INVALID_ARGUMENT"),
        ("calls", 400, "INVALID_ARGUMENT"),
        ("nobody", 404, "NOT_FOUND"),
    ],
)
def test_client_errors(client: genai.Client, scene: str, code: int, status: str) -> None:
    """Errors are the client's to understand."""
    with pytest.raises(ClientError) as caught:
        client.models.generate_content(model=scene, contents="Hi")
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize("scene", ["overloaded", "breaks"])
def test_server_errors(client: genai.Client, scene: str) -> None:
    """So are those of the server, in the middle of a stream as well."""
    with pytest.raises(ServerError, match="503 UNAVAILABLE"):
        list(client.models.generate_content_stream(model=scene, contents="Hi"))


def test_wrong_key(url: str) -> None:
    """A wrong key is the API's 400."""
    with client_of(url, key="wrong") as client, pytest.raises(ClientError, match="API key not valid"):
        client.models.generate_content(model="text", contents="Hi")


def test_models(client: genai.Client) -> None:
    """The models come in pages, with what they can do."""
    listed = {model.name: model.supported_actions for model in client.models.list()}
    assert list(listed) == [*(f"models/{scene}" for scene in SCENES), "models/embeds"]
    assert listed["models/embeds"] == ["embedContent"]
