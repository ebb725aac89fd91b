"""The speaker of Azure's routes, as the openai SDK's Azure client hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.providers.speak_azure_openai import Speaker
from tests.providers.speaker import KEY, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = [{"role": "user", "content": "Hi"}]
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the speaker."""
    with serving(Speaker().app) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[openai.AzureOpenAI]:
    """Give the SDK's client."""
    with openai.AzureOpenAI(azure_endpoint=url, api_key=KEY, api_version="2025-04-01-preview", max_retries=0) as client:
        yield client


def heard(client: Any, model: str, **more: Any) -> list[Any]:
    """Return the chunks of a chat completion."""
    return list(client.chat.completions.create(model=model, messages=HELLO, stream=True, **more))


def test_text(client: Any) -> None:
    """The first chunk has no choices and no id, the late findings of the filter have no delta."""
    chunks = heard(client, "text", stream_options={"include_usage": True})
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert (chunks[0].id, chunks[0].choices, "prompt_filter_results" in chunks[0].model_extra) == ("", [], True)
    assert [delta and delta.content for delta in deltas] == ["", "Hello", " from", " here.", None, None]
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (12, 5)


def test_calls(client: Any) -> None:
    """Calls come side by side."""
    chunks = heard(client, "calls", tools=[WEATHER])
    calls = [call for chunk in chunks for each in chunk.choices if each.delta for call in each.delta.tool_calls or ()]
    arguments = ["".join(call.function.arguments for call in calls if call.index == index) for index in (0, 1)]
    assert [call.function.name for call in calls if call.id] == ["get_weather"] * 2
    assert arguments == ['{"city":"Seoul"}', '{"city":"Jeju"}']


def test_responses(client: Any) -> None:
    """Responses have a route of their own."""
    message = {"type": "message", "role": "user", "content": "Hi"}
    events = list(client.responses.create(model="text", input=[message], stream=True))
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert pieces == ["Hello", " from", " here."]
    assert events[-1].response.output_text == "Hello from here."


def test_v1(url: str) -> None:
    """The v1 routes serve the plain client, which sends the key as a bearer token."""
    with openai.OpenAI(base_url=f"{url}/openai/v1", api_key=KEY) as client:
        assert len(heard(client, "text")) == 7


@pytest.mark.parametrize(
    ("model", "kind", "code"),
    [
        ("nobody", openai.NotFoundError, "DeploymentNotFound"),
        ("limited", openai.RateLimitError, "429"),
        ("overloaded", openai.InternalServerError, "ServiceUnavailable"),
        ("too_long", openai.BadRequestError, "context_length_exceeded"),
        ("filtered", openai.BadRequestError, "content_filter"),
        ("calls", openai.BadRequestError, None),
    ],
)
def test_errors(client: Any, model: str, kind: type[openai.APIStatusError], code: str | None) -> None:
    """Errors are Azure's."""
    with pytest.raises(kind) as caught:
        heard(client, model)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [({"api_key": "no"}, openai.AuthenticationError), ({"base_url": "/openai/v1"}, openai.NotFoundError)],
)
def test_wrong_client(url: str, wrong: dict[str, str], kind: type[openai.APIStatusError]) -> None:
    """Another key, and a dated version in front of v1, are refused."""
    where = {"base_url": url + wrong["base_url"]} if "base_url" in wrong else {"azure_endpoint": url}
    key = wrong.get("api_key", KEY)
    with (
        openai.AzureOpenAI(**where, api_key=key, api_version="2024-10-21", max_retries=0) as client,  # type: ignore[call-overload]
        pytest.raises(kind),
    ):
        heard(client, "text")


@pytest.mark.parametrize(
    "extra",
    [{"extra_body": {"max_output_tokens": 1}}, {"messages": [{"role": "user", "content": [{"type": "image"}]}]}],
)
def test_what_the_types_cannot_hold(client: Any, extra: dict[str, Any]) -> None:
    """A key or a value that the SDK's types don't know is refused, wherever it is."""
    with pytest.raises(openai.BadRequestError):
        list(client.chat.completions.create(**{"model": "text", "messages": HELLO, "stream": True} | extra))


def test_old_version(url: str) -> None:
    """An API version before September 2024 rejects the new limit and `stream_options`."""
    with (
        openai.AzureOpenAI(azure_endpoint=url, api_key=KEY, api_version="2024-08-01-preview") as client,
        pytest.raises(openai.BadRequestError, match="max_completion_tokens"),
    ):
        heard(client, "text", max_completion_tokens=9)
