"""The speakers of OpenAI's wire formats, as the `openai` package's client hears them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.providers import speak_openai_chat, speak_openai_responses
from tests.providers.speaker import KEY, SCENES, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": False}
CHAT_WEATHER: Any = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
HELLO: Any = [{"role": "user", "content": "Hi"}]
IMAGE = "data:image/png;base64,iVBORw0KGgo="
ERRORS = [
    ("nobody", openai.NotFoundError),
    ("limited", openai.RateLimitError),
    ("overloaded", openai.InternalServerError),
    ("too_long", openai.BadRequestError),
    ("calls", openai.BadRequestError),
]


def sdk(url: str, key: str = KEY) -> openai.OpenAI:
    """Return the package's client, which objects to anything that its types don't know."""
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
    client._strict_response_validation = True
    return client


@pytest.fixture(scope="module")
def chat() -> Iterator[openai.OpenAI]:
    """Serve Chat Completions, and give a client."""
    with serving(speak_openai_chat.Speaker().app) as url, sdk(url) as client:
        yield client


@pytest.fixture(scope="module")
def responses() -> Iterator[openai.OpenAI]:
    """Serve Responses, and give a client."""
    with serving(speak_openai_responses.Speaker().app) as url, sdk(url) as client:
        yield client


def said(client: openai.OpenAI, model: str, messages: Any = HELLO, **more: Any) -> Any:
    """Return the chat completion that a stream makes."""
    with client.chat.completions.stream(model=model, messages=messages, **more) as stream:
        return stream.until_done().get_final_completion()


def made(client: openai.OpenAI, model: str, asked: Any = "Hi", **more: Any) -> Any:
    """Return the response that a stream makes."""
    with client.responses.stream(model=model, input=asked, store=False, **more) as stream:
        return stream.until_done().get_final_response()


def last(client: openai.OpenAI, model: str) -> Any:
    """Return the last event of a response."""
    return list(client.responses.create(model=model, input="Hi", stream=True))[-1]


def test_chat_usage(chat: openai.OpenAI) -> None:
    """A chat tells its text and tokens."""
    whole = said(chat, "cached", stream_options={"include_usage": True})
    details = (whole.usage.prompt_tokens_details, whole.usage.completion_tokens_details)
    assert whole.choices[0].message.content == "Hello from here."
    assert (whole.usage.prompt_tokens, details[0].cached_tokens, details[1].reasoning_tokens) == (1200, 1000, 3)


def test_chat_calls(chat: openai.OpenAI) -> None:
    """Calls come side by side, and their results are matched by id."""
    message = said(chat, "calls", tools=[CHAT_WEATHER]).choices[0].message
    assert [each.function.arguments for each in message.tool_calls] == ['{"city":"Seoul"}', '{"city":"Jeju"}']
    calls = [{"id": each.id, "type": "function", "function": each.function.to_dict()} for each in message.tool_calls]
    for call in calls:
        del call["function"]["parsed_arguments"]
    ids = [call["id"] for call in calls]
    results = [{"role": "tool", "tool_call_id": each, "content": each[5:]} for each in reversed(ids)]
    asked = [*HELLO, {"role": "assistant", "content": None, "tool_calls": calls}, *results]
    assert said(chat, "calls", asked, tools=[CHAT_WEATHER]).choices[0].message.content == "Seoul: seoul, Jeju: jeju"


def test_chat_image_and_schema(chat: openai.OpenAI) -> None:
    """A chat sees images and writes by a schema."""
    parts = [{"type": "image_url", "image_url": {"url": IMAGE}}]
    form: Any = {"type": "json_schema", "json_schema": {"name": "city", "schema": PARAMETERS}}
    assert said(chat, "sees", [{"role": "user", "content": parts}]).choices[0].message.content == "image/png 8"
    assert said(chat, "json", response_format=form).choices[0].message.content == '{"city":"Seoul"}'


def test_responses_usage(responses: openai.OpenAI) -> None:
    """A response tells its text and tokens."""
    whole = made(responses, "cached")
    details = (whole.usage.input_tokens_details, whole.usage.output_tokens_details)
    assert whole.output_text == "Hello from here."
    assert (details[0].cached_tokens, details[0].cache_write_tokens, details[1].reasoning_tokens) == (1000, 100, 3)


def test_responses_reasoning(responses: openai.OpenAI) -> None:
    """Reasoning is sealed on demand, and refused where it comes back open."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    sealed = made(responses, "thinks", include=["reasoning.encrypted_content"]).output[0].encrypted_content
    asked = [*HELLO, thought | {"encrypted_content": sealed}]
    assert made(responses, "thinks", asked).output_text == "42."
    assert made(responses, "thinks").output[0].encrypted_content is None
    with pytest.raises(openai.BadRequestError):
        made(responses, "thinks", [*HELLO, thought])


def test_responses_calls(responses: openai.OpenAI) -> None:
    """Calls come side by side, and their results are matched by id."""
    calls = made(responses, "calls", tools=[WEATHER]).output
    assert [call.arguments for call in calls] == ['{"city":"Seoul"}', '{"city":"Jeju"}']
    told = [{"type": "function_call", **each.to_dict(), "parsed_arguments": None} for each in calls]
    asked = [{key: value for key, value in each.items() if key != "parsed_arguments"} for each in told]
    asked += [{"type": "function_call_output", "call_id": each.call_id, "output": each.call_id[5:]} for each in calls]
    assert made(responses, "calls", [*HELLO, *asked], tools=[WEATHER]).output_text == "Seoul: seoul, Jeju: jeju"


def test_responses_image_and_schema(responses: openai.OpenAI) -> None:
    """A response sees images and writes by a schema."""
    parts = [{"type": "input_image", "image_url": IMAGE, "detail": "auto"}]
    form: Any = {"format": {"type": "json_schema", "name": "city", "schema": PARAMETERS}}
    assert made(responses, "sees", [{"role": "user", "content": parts}]).output_text == "image/png 8"
    assert made(responses, "json", text=form).output_text == '{"city":"Seoul"}'


def test_ends(chat: openai.OpenAI, responses: openai.OpenAI) -> None:
    """Early ends have their names."""
    ends = [chat.chat.completions.create(model=each, messages=HELLO, stream=True) for each in ("cut", "blocked")]
    assert [list(end)[-1].choices[0].finish_reason for end in ends] == ["length", "content_filter"]
    lasts: Any = [last(responses, each) for each in ("cut", "blocked")]
    assert [each.response.incomplete_details.reason for each in lasts] == ["max_output_tokens", "content_filter"]


def test_breaks(chat: openai.OpenAI, responses: openai.OpenAI) -> None:
    """An error in the middle of a stream reaches the client as one."""
    with pytest.raises(openai.APIError, match="had an error"):
        said(chat, "breaks")
    assert last(responses, "breaks").message == "The server had an error."


@pytest.mark.parametrize(("model", "error"), ERRORS)
def test_errors(chat: openai.OpenAI, responses: openai.OpenAI, model: str, error: type[Exception]) -> None:
    """Errors are OpenAI's."""
    with pytest.raises(error):
        said(chat, model)
    with pytest.raises(error):
        made(responses, model)


@pytest.mark.parametrize("extra", [{"top_k": 1}, {"messages": [{"role": "user", "content": "Hi", "a": 1}]}])
def test_unknown_keys_of_chat(chat: openai.OpenAI, extra: Any) -> None:
    """Keys that OpenAI doesn't know are refused, wherever they are."""
    with pytest.raises(openai.BadRequestError, match="Extra inputs"):
        said(chat, "text", extra_body=extra)


@pytest.mark.parametrize("extra", [{"seed": 1}, {"input": [{"role": "user", "content": "Hi", "a": 1}]}])
def test_unknown_keys_of_responses(responses: openai.OpenAI, extra: Any) -> None:
    """Keys that OpenAI doesn't know are refused, wherever they are."""
    with pytest.raises(openai.BadRequestError, match="Extra inputs"):
        made(responses, "text", extra_body=extra)


def test_models_and_keys(chat: openai.OpenAI) -> None:
    """The list names the scenes, and a wrong key gets nothing."""
    assert tuple(model.id for model in chat.models.list()) == SCENES
    with pytest.raises(openai.AuthenticationError):
        chat.with_options(api_key="no").models.list()
