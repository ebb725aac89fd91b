from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.protocol.streams import REQUEST, full_stream

from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse, InputItem, collect
from agentbench.protocol.content import InputImage, InputText, OutputText, ReasoningText, SummaryText
from agentbench.protocol.decode import convert, decode_json, decode_request
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, ItemReference, Message, Reasoning
from agentbench.protocol.request import AllowedTools, FunctionTool, FunctionToolChoice, JsonSchemaFormat, TextConfig


def item(raw: Any) -> InputItem:
    """Return the one item that an input of one is read as."""
    (read,) = decode_request({"input": [raw]}).input
    return read


def refused(raw: dict[str, Any]) -> tuple[str | None, str]:
    """Return the path and the message with which a request is refused."""
    with pytest.raises(InvalidRequest) as caught:
        decode_request(raw)
    return caught.value.param, caught.value.message


# -- what is accepted ---------------------------------------------------------------------------------------------


def test_nothing() -> None:
    """An empty request is one with every default."""
    assert decode_request({}) == CreateResponse()


def test_text() -> None:
    """A text as input is one message of the user's."""
    (message,) = decode_request({"input": "Hi"}).input
    assert message == Message(id=message.id, role="user", content=(InputText(text="Hi"),))
    assert message.id.startswith("msg_")


def test_nulls() -> None:
    """Null means "not given", for settings and within them."""
    settings: dict[str, Any] = dict.fromkeys(CreateResponse.__struct_fields__)
    assert decode_request(settings) == CreateResponse()
    assert decode_request({"text": {"format": None, "verbosity": None}}) == CreateResponse()
    assert decode_request({"reasoning": {"effort": None}}).reasoning is not None
    assert decode_request({"stream_options": {"include_obfuscation": None}}).stream_options is not None


def test_nulls_in_a_tool_choice() -> None:
    """The mode of the allowed tools may be null, as the spec has it."""
    choice = {"type": "allowed_tools", "mode": None, "tools": [{"type": "function", "name": "f"}]}
    assert decode_request({"tool_choice": choice}).tool_choice == AllowedTools(tools=(FunctionToolChoice(name="f"),))


def test_a_schema_keeps_its_nulls() -> None:
    """Nulls around a JSON schema are dropped; within it they mean something."""
    schema = {"type": "object", "default": None}
    given = {"type": "json_schema", "name": "city", "description": None, "strict": None, "schema": schema}
    expected = TextConfig(format=JsonSchemaFormat(name="city", schema=schema))
    assert decode_request({"text": {"format": given}}).text == expected
    tool = {"type": "function", "name": "f", "description": None, "strict": None, "parameters": schema}
    assert decode_request({"tools": [tool]}).tools == (FunctionTool(name="f", parameters=schema),)


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_a_message_without_type(role: str) -> None:
    """An item with a role is a message, and its text may stand alone."""
    message = item({"role": role, "content": "Hi"})
    assert message == Message(id=message.id, role=role, content=(InputText(text="Hi"),))  # type: ignore[arg-type]


def test_an_assistants_text() -> None:
    """What the assistant said is output, even as input; no content at all is allowed."""
    message = item({"role": "assistant", "content": "Hello"})
    assert message == Message(id=message.id, role="assistant", content=(OutputText(text="Hello"),))
    silent = item({"role": "assistant", "content": None})
    assert silent == Message(id=silent.id, role="assistant", content=())


def test_parts_with_nulls() -> None:
    """The nulls that SDKs send within parts are dropped."""
    message = item({"role": "user", "content": [{"type": "input_image", "image_url": "data:,", "detail": None}]})
    assert message == Message(id=message.id, role="user", content=(InputImage(image_url="data:,"),))


@pytest.mark.parametrize(
    ("raw", "prefix"),
    [
        ({"type": "message", "role": "user", "content": "Hi"}, "msg_"),
        ({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, "fc_"),
        ({"type": "function_call_output", "call_id": "c", "output": "Rain"}, "fco_"),
        ({"type": "reasoning", "summary": []}, "rs_"),
        ({"type": "compaction", "encrypted_content": "c2Vh"}, "cmp_"),
    ],
)
def test_missing_ids(raw: dict[str, Any], prefix: str) -> None:
    """An item without an id, or with null for one, gets an id of its kind and is completed."""
    for given in (raw, {**raw, "id": None, "status": None}):
        read = item(given)
        assert read.id.startswith(prefix)
        assert getattr(read, "status", "completed") == "completed"


def test_calls_without_type() -> None:
    """An item with a call_id is a call, or what a call gave back."""
    call = item({"call_id": "c", "name": "f", "arguments": "{}"})
    assert call == FunctionCall(id=call.id, call_id="c", name="f", arguments="{}")
    output = item({"call_id": "c", "output": [{"type": "input_text", "text": "Rain"}]})
    assert output == FunctionCallOutput(id=output.id, call_id="c", output=(InputText(text="Rain"),))


def test_arguments_that_are_no_text() -> None:
    """Arguments sent as an object become the text that they should have been."""
    call = item({"type": "function_call", "call_id": "c", "name": "f", "arguments": {"city": "Seoul"}})
    assert call == FunctionCall(id=call.id, call_id="c", name="f", arguments='{"city":"Seoul"}')


@pytest.mark.parametrize(
    "raw", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}, {"type": None, "id": "msg_1"}]
)
def test_references(raw: dict[str, Any]) -> None:
    """An item that is only an id stands for an earlier one."""
    assert item(raw) == ItemReference(id="msg_1")


def test_reasoning() -> None:
    """Reasoning is read with whichever of its three forms it has."""
    summary, content = [{"type": "summary_text", "text": "A"}], [{"type": "reasoning_text", "text": "B"}]
    read = item({"type": "reasoning", "id": "rs_1", "summary": summary, "content": content, "encrypted_content": None})
    assert read == Reasoning(
        id="rs_1", summary=(SummaryText(text="A"),), content=(ReasoningText(text="B"),), status="completed"
    )


def test_replayed_output() -> None:
    """Any output may come back as input, and is what it was."""
    output = collect(full_stream()).output
    raw = msgspec.json.decode(msgspec.json.encode(output))
    assert decode_request({"input": raw}).input == output


def test_settings() -> None:
    """A request comes out of JSON as it went in."""
    assert decode_request(decode_json(msgspec.json.encode(REQUEST))) == REQUEST


def test_one_stop_word() -> None:
    """One stop word may stand alone."""
    assert decode_request({"stop": "END"}).stop == ("END",)


def test_unknown_settings() -> None:
    """A setting that nobody knows is ignored, as the spec doesn't forbid it."""
    assert decode_request({"input": [], "sparkle": True}) == CreateResponse()


# -- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        ({"input": 5}, "input"),
        ({"input": ["Hi"]}, "input[0]"),
        ({"input": [{"role": "user", "content": "Hi"}, {}]}, "input[1]"),
        ({"input": [{"role": "king", "content": "Hi"}]}, "input[0].role"),
        ({"input": [{"role": "king - at `$.court`", "content": "Hi"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": ["Hi"]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_smell"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]}, "input[0].content[0].text"),
        ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "input[0].type"),
        ({"input": [{"type": ["message"]}]}, "input[0].type"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0]"),
        ({"input": [{"type": "message", "id": 5, "role": "user", "content": "Hi"}]}, "input[0].id"),
        ({"tools": {}}, "tools"),
        ({"tools": ["weather"]}, "tools[0]"),
        ({"tools": [{"type": "function", "name": ""}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "name": "f" * 65}]}, "tools[0].name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"text": "plain"}, "text"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"reasoning": {"effort": "heroic"}}, "reasoning.effort"),
        ({"metadata": {"course": 4}}, "metadata[...]"),
        ({"metadata": {"course": "4" * 513}}, "metadata[...]"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_where_it_is_wrong(raw: dict[str, Any], param: str) -> None:
    """An error names the path of what is wrong, apart and within its message."""
    path, message = refused(raw)
    assert path == param
    assert message.startswith((f"{param}: ", f"{param.removesuffix('.type')}: "))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("temperature", 0, 2),
        ("top_p", 0, 1),
        ("presence_penalty", -2, 2),
        ("frequency_penalty", -2, 2),
        ("top_logprobs", 0, 20),
        ("max_output_tokens", 1, 1_000_000),
        ("max_tool_calls", 1, 1_000),
    ],
)
def test_ranges(name: str, low: int, high: int) -> None:
    """A number at the end of its range is fine; one beyond it is refused by its name."""
    assert [getattr(decode_request({name: value}), name) for value in (low, high)] == [low, high]
    assert refused({name: low - 1})[0] == name


@pytest.mark.parametrize(
    ("name", "beyond"), [("temperature", 2.5), ("top_p", 1.5), ("presence_penalty", 3), ("top_logprobs", 21)]
)
def test_too_much(name: str, beyond: float) -> None:
    """Where there is an upper end, a number beyond it is refused too."""
    param, message = refused({name: beyond})
    assert param == name
    assert "<=" in message


@pytest.mark.parametrize("kind", ["web_search", "mcp", "code_interpreter", None])
def test_hosted_tools(kind: str | None) -> None:
    """A tool that the server would have to run is refused, with its type and place."""
    function = {"type": "function", "name": "f"}
    param, message = refused({"tools": [function, {"type": kind, "name": "x"}]})
    assert param == "tools[1].type"
    assert f"{kind!r} are not run here" in message


def test_at() -> None:
    """A value that is part of a request is refused with the path of the whole."""
    with pytest.raises(InvalidRequest, match=r"tools\[0\]\.name: ") as caught:
        convert({"type": "function", "name": 5}, FunctionTool, at="tools[0]")
    assert caught.value.param == "tools[0].name"


def test_the_body() -> None:
    """A value that is no object at all has no path."""
    with pytest.raises(InvalidRequest, match=r"^The body: Expected `object`, got `array`\.$") as caught:
        convert([], CreateResponse)
    assert caught.value.param is None


# -- JSON ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b'{"model": "m"}', '{"model": "m"}', b'\n {"model":"m"} '])
def test_json(body: bytes | str) -> None:
    """A body is an object, as bytes or as text."""
    assert decode_json(body) == {"model": "m"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1} 2',
        b"\xff",
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        b"[" * 100_000,
    ],
    ids=["empty", "cut", "nan", "two", "bytes", "utf-8", "escape", "surrogate", "deep"],
)
def test_malformed_json(body: bytes | str) -> None:
    """What isn't JSON is the caller's mistake, however it is broken."""
    with pytest.raises(InvalidRequest, match=r"^The body is not valid JSON: "):
        decode_json(body)


@pytest.mark.parametrize("body", [b"[]", b'"Hi"', b"null", b"5"])
def test_no_object(body: bytes) -> None:
    """JSON that isn't an object is refused as such."""
    with pytest.raises(InvalidRequest, match="must be a JSON object"):
        decode_json(body)
