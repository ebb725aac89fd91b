"""From a chat client's JSON to a request of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputText, OutputText, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
    PlainTextFormat,
    ReasoningConfig,
    StreamOptions,
)
from agentbench.surfaces.chat_request import decode_chat

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse

USER = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"name": {"type": ["string", "null"], "default": None}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}


def decoded(*messages: Any, **fields: Any) -> CreateResponse:
    """Return the request that these messages make."""
    return decode_chat({"model": "m", "messages": list(messages or [USER]), **fields})


def told(request: CreateResponse) -> list[Any]:
    """Return the input without the ids that it was given."""
    raw = msgspec.to_builtins(request.input)
    return [{key: value for key, value in item.items() if key not in {"id", "status"}} for item in raw]


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_text(role: str) -> None:
    """A role stays itself; an assistant's text is output, any other's input."""
    (item,) = decoded({"role": role, "content": "Hi"}).input
    part = OutputText(text="Hi") if role == "assistant" else InputText(text="Hi")
    assert isinstance(item, Message)
    assert (item.role, item.content) == (role, (part,))


def test_parts() -> None:
    """Text, images by address or content, and files."""
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
    ]
    (item,) = decoded({"role": "user", "content": content}).input
    assert isinstance(item, Message)
    assert item.content == (
        InputText(text="What is it?"),
        InputImage(image_url="data:image/png;base64,AA==", detail="low"),
        InputImage(image_url="https://example.org/a.png"),
        InputFile(filename="a.pdf", file_data="data:application/pdf;base64,AA=="),
    )


def test_an_assistant_of_parts() -> None:
    """Its text is output; its refusal stays one, as a part or beside the content."""
    parts = [{"type": "text", "text": "Well, "}, {"type": "refusal", "refusal": "no."}]
    expected = (OutputText(text="Well, "), Refusal(refusal="no."))
    for message in ({"content": parts}, {"content": "Well, ", "refusal": "no."}):
        (item,) = decoded({"role": "assistant", **message}).input
        assert isinstance(item, Message)
        assert item.content == expected


def test_a_refusal_alone() -> None:
    """What the model said before is kept, though it has no content."""
    (item,) = decoded({"role": "assistant", "content": None, "refusal": "no."}).input
    assert isinstance(item, Message)
    assert item.content == (Refusal(refusal="no."),)


def test_a_tool_round_trip() -> None:
    """Text, then calls, then what they gave: each an item, in order."""
    request = decoded(
        USER,
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "5"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "6"}]},
    )
    kinds = [type(item) for item in request.input]
    assert kinds == [Message, Message, FunctionCall, FunctionCall, FunctionCallOutput, FunctionCallOutput]
    assert told(request)[2] == {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"x":1}'}
    assert told(request)[4] == {"type": "function_call_output", "call_id": "call_1", "output": "5"}
    assert told(request)[5]["output"] == ({"type": "input_text", "text": "6"},)


@pytest.mark.parametrize("content", [None, "", []])
def test_calls_without_text(content: Any) -> None:
    """An assistant that only calls says nothing."""
    request = decoded({"role": "assistant", "content": content, "tool_calls": [CALL]})
    assert [type(item) for item in request.input] == [FunctionCall]


def test_a_tool_that_gave_nothing() -> None:
    """Its output is empty, but it is there: the model waits for it."""
    (item,) = decoded({"role": "tool", "tool_call_id": "call_1", "content": ""}).input
    assert isinstance(item, FunctionCallOutput)
    assert item.output == ""


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, FunctionToolChoice(name="f")),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            AllowedTools(mode="required", tools=(FunctionToolChoice(name="f"),)),
        ),
    ],
)
def test_tool_choice(sent: Any, expected: Any) -> None:
    """Each way to choose."""
    assert decoded(tool_choice=sent).tool_choice == expected


def test_tools() -> None:
    """A function's schema is passed on as it is, nulls included."""
    function = {"name": "f", "description": "Does.", "parameters": SCHEMA, "strict": True}
    request = decoded(
        tools=[{"type": "function", "function": function}, {"type": "function", "function": {"name": "g"}}]
    )
    assert request.tools == (
        FunctionTool(name="f", description="Does.", parameters=SCHEMA, strict=True),
        FunctionTool(name="g"),
    )


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (None, PlainTextFormat()),
        ({"type": "text"}, PlainTextFormat()),
        ({"type": "json_object"}, JsonObjectFormat()),
        (
            {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": SCHEMA}},
            JsonSchemaFormat(name="city", strict=True, schema=SCHEMA),
        ),
    ],
)
def test_response_format(sent: Any, expected: Any) -> None:
    """Each form of text."""
    assert decoded(response_format=sent).text.format == expected


@pytest.mark.parametrize(
    ("sent", "field", "expected"),
    [
        ({"max_tokens": 5}, "max_output_tokens", 5),
        ({"max_completion_tokens": 6, "max_tokens": 5}, "max_output_tokens", 6),
        ({"max_completion_tokens": None, "max_tokens": 5}, "max_output_tokens", 5),
        ({}, "max_output_tokens", None),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["A", "B"]}, "stop", ("A", "B")),
        ({"stop": None}, "stop", ()),
        ({"seed": 7}, "seed", 7),
        ({"temperature": 0}, "temperature", 0.0),
        ({"temperature": None}, "temperature", None),
        ({"reasoning_effort": "low"}, "reasoning", ReasoningConfig(effort="low")),
        ({"logprobs": True}, "top_logprobs", 1),
        ({"logprobs": True, "top_logprobs": 3}, "top_logprobs", 3),
        ({"logprobs": False, "top_logprobs": 3}, "top_logprobs", None),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", False),
        ({"stream": True}, "stream", True),
        ({"stream_options": {"include_usage": True}}, "stream_options", StreamOptions(include_usage=True)),
        ({"user": "ann"}, "user", "ann"),
        ({"metadata": {"a": "b"}}, "metadata", {"a": "b"}),
        ({"n": 1}, "store", False),
        ({"store": True}, "store", False),
        ({"logit_bias": {}, "some_new_field": 1}, "model", "m"),
    ],
)
def test_fields(sent: dict[str, Any], field: str, expected: Any) -> None:
    """What Chat Completions calls otherwise is found; null is absent; what nobody knows is let go."""
    assert getattr(decoded(**sent), field) == expected


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [USER], "n": 2}, "n"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": {"type": "text"}}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["Hi"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "messages[0].content[0].image_url",
        ),
        ({"messages": [{"role": "tool", "tool_call_id": "c", "content": 5}]}, "messages[0].content"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": 5}]}, "messages[1].tool_calls"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": ["f"]}]}, "messages[1].tool_calls[0]"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": "f"}]}]},
            "messages[0].tool_calls[0].function",
        ),
        ({"messages": [USER], "tools": 5}, "tools"),
        ({"messages": [USER], "tools": ["f"]}, "tools[0]"),
        ({"messages": [USER], "tools": [{"type": "function"}]}, "tools[0]"),
        ({"messages": [USER], "tools": [{"type": "web_search", "function": {"name": "f"}}]}, "tools[0].type"),
        ({"messages": [USER], "tool_choice": 5}, "tool_choice"),
        ({"messages": [USER], "tool_choice": {"type": "function", "function": "f"}}, "tool_choice.function"),
        (
            {"messages": [USER], "tool_choice": {"type": "allowed_tools", "allowed_tools": 5}},
            "tool_choice.allowed_tools",
        ),
        (
            {"messages": [USER], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": ["f"]}}},
            "tool_choice",
        ),
        ({"messages": [USER], "response_format": "json"}, "response_format"),
        (
            {"messages": [USER], "response_format": {"type": "json_schema", "json_schema": "x"}},
            "response_format.json_schema",
        ),
        ({"messages": [USER], "temperature": 3}, "temperature"),
        ({"messages": [USER], "max_tokens": 0}, "max_output_tokens"),
        ({"messages": [USER], "stop": 5}, "stop"),
    ],
)
def test_a_bad_body(body: dict[str, Any], param: str) -> None:
    """It is refused with the place where it is wrong, never with an error of the inside."""
    with pytest.raises(InvalidRequest) as caught:
        decode_chat({"model": "m", **body})
    assert caught.value.param == param
    assert caught.value.message


@pytest.mark.parametrize(
    "message", [{"role": "nobody", "content": "Hi"}, {"content": "Hi"}, {"role": "tool", "content": "5"}]
)
def test_a_bad_message(message: dict[str, Any]) -> None:
    """A role that there isn't, and an output that belongs to no call."""
    with pytest.raises(InvalidRequest):
        decoded(message)
