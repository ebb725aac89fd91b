"""Requests as the body of Chat Completions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agentbench.config import Endpoint
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
from agentbench.providers.openai_chat import OpenAIChat

PROVIDER = OpenAIChat(Http())
LOOK = FunctionTool(name="look", description="Looks.", parameters={"type": "object"}, strict=True)
NOW = FunctionTool(name="now")
WIRE_LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True},
}
WIRE_NOW = {"type": "function", "function": {"name": "now"}}


def encoded(base_url: str = "http://127.0.0.1:9/v1", **given: Any) -> dict[str, Any]:
    """Return the body for a request to an address, as the upstream reads it."""
    endpoint = Endpoint(name="acme", provider="openai_chat", base_url=base_url)
    request = CreateResponse(model="small", input=(user_message("Hi"),), **given)
    body = PROVIDER.encode(request, endpoint)
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, Any])


def test_smallest_body() -> None:
    """What wasn't asked for isn't in the body; usage is always asked for."""
    assert encoded() == {
        "model": "small",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_sampling() -> None:
    """Sampling goes under Chat Completions' names, zeros included."""
    body = encoded(
        temperature=0.0,
        top_p=0.5,
        presence_penalty=0.0,
        frequency_penalty=-1.0,
        max_output_tokens=9,
        stop=("END",),
        seed=0,
        user="someone",
        top_logprobs=2,
        reasoning=ReasoningConfig(effort="low", summary="auto"),
    )
    sampling = {key: body[key] for key in list(body)[4:]}
    assert sampling == {
        "temperature": 0.0,
        "top_p": 0.5,
        "presence_penalty": 0.0,
        "frequency_penalty": -1.0,
        "max_tokens": 9,
        "stop": ["END"],
        "seed": 0,
        "user": "someone",
        "reasoning_effort": "low",
        "logprobs": True,
        "top_logprobs": 2,
    }


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://acme.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://notopenai.com/v1", "max_tokens"),
        ("https://openai.com.example.org/v1", "max_tokens"),
        ("http://127.0.0.1:8000/openai.com", "max_tokens"),
    ],
)
def test_name_of_the_limit(base_url: str, name: str) -> None:
    """OpenAI's own hosts want the new name of the token limit, others may know only the old one."""
    body = encoded(base_url, max_output_tokens=9)
    assert {key: body[key] for key in body if key.startswith("max_")} == {name: 9}


def test_mistral() -> None:
    """Mistral's host rejects `stream_options`, so it gets none."""
    assert "stream_options" not in encoded("https://api.mistral.ai/v1")


@pytest.mark.parametrize(
    ("choice", "tools", "wire"),
    [
        ("auto", [WIRE_LOOK, WIRE_NOW], None),
        ("required", [WIRE_LOOK, WIRE_NOW], "required"),
        ("none", [WIRE_LOOK, WIRE_NOW], "none"),
        (FunctionToolChoice(name="now"), [WIRE_LOOK, WIRE_NOW], {"type": "function", "function": {"name": "now"}}),
        (AllowedTools(tools=(FunctionToolChoice(name="now"),)), [WIRE_NOW], None),
        (AllowedTools(tools=(FunctionToolChoice(name="now"),), mode="required"), [WIRE_NOW], "required"),
        (AllowedTools(tools=(FunctionToolChoice(name="other"),), mode="required"), None, None),
    ],
)
def test_tools(choice: ToolChoice, tools: list[Any] | None, wire: object) -> None:
    """Tools and the choice among them; a hard limit leaves out the tools that aren't allowed."""
    body = encoded(tools=(LOOK, NOW), tool_choice=choice)
    assert (body.get("tools"), body.get("tool_choice")) == (tools, wire)


def test_parallel_calls() -> None:
    """Whether calls may be parallel is said only where there are tools."""
    assert encoded(tools=(NOW,), parallel_tool_calls=False)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in encoded(parallel_tool_calls=False)


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (PlainTextFormat(), None),
        (JsonObjectFormat(), {"type": "json_object"}),
        (
            JsonSchemaFormat(name="city", schema={"type": "object"}, strict=True),
            {"type": "json_schema", "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True}},
        ),
        (
            JsonSchemaFormat(description="A city.", schema={}),
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "description": "A city.", "schema": {}, "strict": False},
            },
        ),
    ],
)
def test_response_format(form: TextFormat, wire: object) -> None:
    """The form of the text goes as `response_format`, plain text without a word."""
    assert encoded(text=TextConfig(format=form)).get("response_format") == wire
