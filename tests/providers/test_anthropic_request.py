"""Requests as the body of Anthropic's Messages; each must be one that the API takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.providers.speak_anthropic_rules import refusal

from agentbench.protocol import CreateResponse
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, assistant_message, user_message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
    ReasoningConfig,
    TextConfig,
)
from agentbench.providers.anthropic import closed_schema, encode_messages

if TYPE_CHECKING:
    from agentbench.protocol.request import TextFormat, ToolChoice

HELLO = user_message("Hi")
CACHED = {"cache_control": {"type": "ephemeral"}}
SCHEMA = {"type": "object", "properties": {"x": {"type": "integer", "minimum": 1}}}
CLOSED = {
    "type": "object",
    "properties": {"x": {"type": "integer", "description": '{"minimum":1}'}},
    "additionalProperties": False,
}
LOOK = FunctionTool(name="look", description="Looks.", parameters=SCHEMA, strict=True)
NOW = FunctionTool(name="now")
WIRE_LOOK = {"name": "look", "description": "Looks.", "input_schema": CLOSED, "strict": True}
WIRE_NOW = {"name": "now", "input_schema": {"type": "object", "properties": {}}}


def encoded(model: str = "small", **given: Any) -> dict[str, Any]:
    """Return the body for a request, as the upstream reads it."""
    request = CreateResponse(**{"model": model, "input": (HELLO,)} | given)
    body = msgspec.json.decode(msgspec.json.encode(encode_messages(request)), type=dict[str, Any])
    assert refusal(body, "2023-06-01") is None
    return body


def test_smallest_body() -> None:
    """What wasn't asked for isn't in the body, but for the limit that the API demands."""
    assert encoded() == {
        "model": "small",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", **CACHED}]}],
        "stream": True,
    }


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-opus-5-5", 32000),
        ("claude-opus-4-20250514", 32000),
        ("claude-3-7-sonnet-20250219", 32000),
        ("claude-3-5-haiku-20241022", 8192),
        ("claude-mythos-preview", 32000),
        ("another-1", 8192),
    ],
)
def test_limit(model: str, limit: int) -> None:
    """A request that names no limit has one that its model can reach; one that names its own keeps it."""
    assert encoded(model)["max_tokens"] == limit
    assert encoded(model, max_output_tokens=7)["max_tokens"] == 7


def test_plain_settings() -> None:
    """Settings go under the API's names; those that it has no name for are left out."""
    body = encoded(stop=("END", " "), user="u-1", presence_penalty=1.0, seed=3, top_logprobs=2)
    assert (body["stop_sequences"], body["metadata"]) == (["END"], {"user_id": "u-1"})
    assert body.keys() == {"model", "max_tokens", "messages", "stream", "stop_sequences", "metadata"}


@pytest.mark.parametrize(
    ("model", "given", "sent"),
    [
        ("small", {"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0, "top_p": 0.5}),
        ("small", {"temperature": 1.7}, {"temperature": 1.0}),
        ("claude-3-7-sonnet-20250219", {"temperature": 1.0, "top_p": 0.5}, {"temperature": 1.0, "top_p": 0.5}),
        ("claude-sonnet-4-5", {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}),
        ("claude-sonnet-4-5", {"top_p": 0.5}, {"top_p": 0.5}),
        ("claude-opus-4-7", {"temperature": 0.2, "top_p": 0.5}, {}),
        ("claude-sonnet-5", {"temperature": 1.0}, {}),
    ],
)
def test_sampling(model: str, given: dict[str, float], sent: dict[str, float]) -> None:
    """The temperature ends at 1; newer models take only one of the two, the newest none."""
    body = encoded(model, **given)
    assert {key: body[key] for key in ("temperature", "top_p") if key in body} == sent


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", None),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        (FunctionToolChoice(name="now"), {"type": "tool", "name": "now"}),
    ],
)
def test_tool_choice(choice: ToolChoice, wire: dict[str, Any] | None) -> None:
    """Tools and the choice among them go in the API's words; the last tool ends what is to be cached."""
    body = encoded(tools=(LOOK, NOW), tool_choice=choice)
    assert (body["tools"], body.get("tool_choice")) == ([WIRE_LOOK, WIRE_NOW | CACHED], wire)


@pytest.mark.parametrize(("mode", "wire"), [("auto", None), ("required", {"type": "any"})])
def test_allowed_tools(mode: Any, wire: dict[str, Any] | None) -> None:
    """Only the allowed tools are shown to the model."""
    choice = AllowedTools(tools=(FunctionToolChoice(name="now"),), mode=mode)
    body = encoded(tools=(LOOK, NOW), tool_choice=choice)
    assert (body["tools"], body.get("tool_choice")) == ([WIRE_NOW | CACHED], wire)


def test_no_allowed_tool() -> None:
    """Where no tool is allowed, the model sees none."""
    choice = AllowedTools(tools=(FunctionToolChoice(name="gone"),), mode="required")
    assert not {"tools", "tool_choice"} & encoded(tools=(NOW,), tool_choice=choice).keys()


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time(choice: ToolChoice, wire: dict[str, Any]) -> None:
    """Calls side by side can be switched off."""
    assert encoded(tools=(NOW,), tool_choice=choice, parallel_tool_calls=False)["tool_choice"] == wire


def test_json_schema() -> None:
    """A schema goes in the body, in the form that the API can enforce."""
    body = encoded(text=TextConfig(format=JsonSchemaFormat(schema=SCHEMA)))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": CLOSED}}
    assert "system" not in body


def test_json_schema_with_effort() -> None:
    """A schema and an effort go side by side."""
    form = TextConfig(format=JsonSchemaFormat(schema=SCHEMA))
    body = encoded("claude-opus-5", text=form, reasoning=ReasoningConfig(effort="low"))
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": CLOSED}}


@pytest.mark.parametrize("form", [JsonObjectFormat(), JsonSchemaFormat()])
def test_json_object(form: TextFormat) -> None:
    """JSON of no particular form is asked for in the system prompt."""
    body = encoded(text=TextConfig(format=form), instructions="Be brief.")
    assert body["system"][0]["text"] == "Be brief.\n\nAnswer with one JSON object and nothing else."
    assert encoded(text=TextConfig(format=form))["system"][0]["text"].startswith("Answer")


def test_caching() -> None:
    """The ends of tools, of the system prompt and of the user's last turn are marked, and nothing else."""
    call = FunctionCall(id="fc_1", call_id="c1", name="now", arguments="{}")
    result = FunctionCallOutput(id="fco_1", call_id="c1", output="noon")
    items = (HELLO, call, result, assistant_message("It is"))
    body = encoded(input=items, tools=(LOOK, NOW), instructions="Be brief.")
    assert msgspec.json.encode(body).count(b"cache_control") == 3
    assert all("cache_control" in each[-1] for each in (body["tools"], body["system"], body["messages"][2]["content"]))


OBJECT = {"type": "object", "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        (
            {"type": "string", "maxLength": 3, "description": "A word."},
            {"type": "string", "description": 'A word. {"maxLength":3}'},
        ),
        ({"type": ["object", "null"]}, {"type": ["object", "null"], "additionalProperties": False}),
        ({"oneOf": [{"type": "object"}, True]}, {"anyOf": [OBJECT, True]}),
        ({"allOf": [{"type": "object"}]}, {"allOf": [OBJECT]}),
        ({"minItems": 1, "items": {"pattern": "a"}}, {"minItems": 1, "items": {"description": '{"pattern":"a"}'}}),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": '{"minItems":2}'}),
        ({"$defs": {"maximum": {"type": "object"}}}, {"$defs": {"maximum": OBJECT}}),
        ({"enum": ["a"], "default": {"minimum": 1}}, {"enum": ["a"], "default": {"minimum": 1}}),
    ],
)
def test_closed_schema(schema: dict[str, Any], closed: dict[str, Any]) -> None:
    """Objects are closed at every depth; limits that the API refuses are told in words."""
    assert closed_schema(schema) == closed
