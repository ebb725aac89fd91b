"""The speaker of Anthropic's API, as the `anthropic` package's client hears it, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.speak_anthropic import Speaker
from tests.providers.speak_anthropic_rules import VERSIONS, refusal, signature
from tests.providers.speaker import KEY, SCENES, serving

anthropic = pytest.importorskip("anthropic")

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "input_schema": SCHEMA}
CLOSED = SCHEMA | {"additionalProperties": False}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
TEXT = {"type": "text", "text": "Hi"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sun"}
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": signature("Hm.")}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the speaker."""
    with serving(Speaker().app) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    """Give the package's own client."""
    with anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        yield client


def wanted(model: str = "text", **given: Any) -> dict[str, Any]:
    """Return a request."""
    return {"model": model, "max_tokens": 50, "messages": [HELLO], **given}


def user(*blocks: object) -> dict[str, Any]:
    """Return a turn of the user's."""
    return {"role": "user", "content": list(blocks)}


def said(*blocks: object) -> dict[str, Any]:
    """Return a turn of the assistant's."""
    return {"role": "assistant", "content": list(blocks)}


def test_whole(client: Any) -> None:
    """A whole message tells its text, end and tokens, those of the cache apart."""
    message = client.messages.create(**wanted("cached"))
    usage = message.usage
    assert (message.content[0].text, message.stop_reason) == ("Hello from here.", "end_turn")
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (100, 1000, 100)
    assert (usage.output_tokens, usage.output_tokens_details.thinking_tokens) == (7, 3)


def test_streamed(client: Any) -> None:
    """A streamed one comes in deltas, thoughts and their signature first."""
    with client.messages.stream(**wanted("thinks")) as stream:
        kinds = [event.delta.type for event in stream if event.type == "content_block_delta"]
        thought, answer = stream.get_final_message().content
    assert kinds == ["thinking_delta", "signature_delta", "text_delta", "text_delta"]
    assert (thought.thinking, thought.signature, answer.text) == ("Let me see.", signature("Let me see."), "42.")


@pytest.mark.parametrize("streamed", [False, True])
def test_calls(client: Any, streamed: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """Calls come side by side, and take their results back."""
    asked = wanted("calls", tools=[WEATHER])
    if streamed:
        with client.messages.stream(**asked) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(**asked)
    assert [block.input for block in message.content] == [{"city": "Seoul"}, {"city": "Jeju"}]
    assert message.stop_reason == "tool_use"
    results = [RESULT | {"tool_use_id": block.id} for block in message.content]
    turns = [HELLO, message.to_param(), user(*results)]
    assert client.messages.create(**asked | {"messages": turns}).content[0].text == "Seoul: sun, Jeju: sun"


def test_image_and_schema(client: Any) -> None:
    """It sees images and writes by a schema."""
    seen = client.messages.create(**wanted("sees", messages=[user(TEXT, PNG)]))
    form = {"format": {"type": "json_schema", "schema": CLOSED}}
    written = client.messages.create(**wanted("json", output_config=form))
    assert (seen.content[0].text, written.content[0].text) == ("image/png 4", '{"city":"Seoul"}')


@pytest.mark.parametrize(("model", "reason"), [("cut", "max_tokens"), ("blocked", "refusal")])
def test_early_ends(client: Any, model: str, reason: str) -> None:
    """An early end is told as the API tells it."""
    assert client.messages.create(**wanted(model)).stop_reason == reason


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("nobody", "NotFoundError"),
        ("limited", "RateLimitError"),
        ("overloaded", "OverloadedError"),
        ("too_long", "BadRequestError"),
        ("calls", "BadRequestError"),
    ],
)
def test_errors(client: Any, model: str, error: str) -> None:
    """The client tells the errors apart."""
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**wanted(model))
    assert type(caught.value).__name__ == error


def test_error_in_the_middle(client: Any) -> None:
    """An error in the middle of a stream reaches the client as one, after what came before."""
    with client.messages.stream(**wanted("breaks")) as stream:
        assert [next(stream.text_stream) for _ in range(2)] == ["So", " far"]
        with pytest.raises(anthropic.APIStatusError) as caught:
            next(stream.text_stream)
    assert caught.value.type == "overloaded_error"


def test_list(client: Any) -> None:
    """The list names the scenes, over as many pages as it takes."""
    assert tuple(model.id for model in client.models.list(limit=5)) == SCENES


def test_wrong_key(url: str) -> None:
    """Another key is refused."""
    with (
        anthropic.Anthropic(base_url=url, api_key="no", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(**wanted())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seed": 1}, "Extra inputs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 1.2}, "range"),
        ({"metadata": {"user": "u"}}, "Extra inputs"),
        ({"messages": []}, "at least one"),
        ({"messages": [HELLO | {"name": "Ann"}]}, "Extra inputs"),
        ({"messages": [user({"type": "text", "text": "a", "tone": "b"})]}, "Extra inputs"),
        ({"messages": [user({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "video"}]})]}, "required"),
        ({"messages": [user({"type": "text", "text": " "})]}, "non-whitespace"),
        ({"messages": [HELLO, HELLO]}, "alternate"),
        ({"messages": [said(TEXT)]}, "alternate"),
        ({"messages": [HELLO, {"role": "assistant", "content": "So "}]}, "trailing whitespace"),
        ({"messages": [HELLO, said(CALL)]}, "without `tool_result`"),
        ({"messages": [HELLO, said(CALL), user(TEXT, RESULT)]}, "come first"),
        ({"messages": [user(RESULT)]}, "tool_use"),
        ({"messages": [HELLO, said(CALL | {"id": "a.b"}), user(RESULT | {"tool_use_id": "a.b"})]}, "pattern"),
        ({"messages": [HELLO, said(THOUGHT | {"signature": "x"}, TEXT)]}, "signature"),
        ({"messages": [HELLO, said(TEXT, THOUGHT)]}, "final block"),
        ({"messages": [HELLO, said(PNG)]}, "assistant"),
        ({"messages": [user(THOUGHT)]}, "only be in assistant"),
        ({"thinking": BUDGET}, "must be greater"),
        ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "1024"),
        ({"thinking": BUDGET, "max_tokens": 4000, "temperature": 1}, "temperature"),
        ({"thinking": {"type": "adaptive"}, "tools": [WEATHER], "tool_choice": {"type": "any"}}, "forces"),
        ({"tool_choice": {"type": "any"}}, "tools"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x"}}, "not found"),
        ({"tools": [WEATHER | {"strict": True}]}, "additionalProperties"),
        ({"messages": [user(*[TEXT | {"cache_control": {"type": "ephemeral"}}] * 5)]}, "maximum of 4"),
    ],
)
def test_refusals(given: dict[str, Any], words: str) -> None:
    """What the API doesn't take is refused, wherever it is."""
    assert words in str(refusal(wanted(**given), VERSIONS[0]))


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 0.5, "top_p": 0.9},
        {"messages": [HELLO, said(THOUGHT, TEXT, CALL), user(RESULT, TEXT)], "tools": [WEATHER | {"strict": False}]},
        {"thinking": BUDGET, "max_tokens": 1025},
        {"system": [TEXT | {"cache_control": {"type": "ephemeral"}}], "metadata": {"user_id": "u"}},
    ],
)
def test_fit_requests(given: dict[str, Any]) -> None:
    """What the API takes isn't refused."""
    assert refusal(wanted(**given), VERSIONS[0]) is None


def test_sampling_in_the_newer_version() -> None:
    """The newer version of the API knows no temperature."""
    assert refusal(wanted(temperature=1), VERSIONS[1]) == "temperature: Extra inputs are not permitted"
