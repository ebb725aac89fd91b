"""The conventions' form of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.config.secret import without_keys
from agentbench.protocol.content import InputFile, InputText, ReasoningText, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, ItemReference, Message, Reasoning, user_message
from agentbench.telemetry.messages import input_json, output_json

if TYPE_CHECKING:
    from agentbench.protocol import InputItem


def told(item: InputItem) -> list[dict[str, Any]]:
    """Return the messages of one item."""
    found: list[dict[str, Any]] = msgspec.json.decode(input_json([item], without_keys))
    return found


def test_picture_in_its_address_is_not_copied() -> None:
    """A picture's bytes stay here; what it is, and an address elsewhere, are told."""
    (message,) = told(user_message("Look", "data:image/png;base64,AAAA", "https://a.test/b.png"))
    assert message["parts"] == [
        {"type": "text", "content": "Look"},
        {"type": "image", "mime_type": "image/png"},
        {"type": "uri", "modality": "image", "uri": "https://a.test/b.png"},
    ]


def test_file_is_named() -> None:
    """A file is told by its name."""
    file = Message(id="msg_1", role="user", content=(InputFile(filename="a.pdf", file_data="AAAA"),))
    assert told(file)[0]["parts"] == [{"type": "document", "name": "a.pdf"}]


@pytest.mark.parametrize(("arguments", "value"), [('{"a": 1}', {"a": 1}), ("{oops", "{oops")])
def test_call_has_its_arguments(arguments: str, value: object) -> None:
    """A call's arguments are JSON within JSON no more, unless the model wrote none."""
    call = FunctionCall(id="fc_1", call_id="call_1", name="f", arguments=arguments)
    part = {"type": "tool_call", "id": "call_1", "name": "f", "arguments": value}
    assert [{"role": "assistant", "parts": [part]}] == told(call)


@pytest.mark.parametrize(
    ("output", "response"), [("42", "42"), ((InputText(text="42"),), [{"type": "text", "content": "42"}])]
)
def test_result_is_the_tools(output: Any, response: object) -> None:
    """A result is a message of the tool's."""
    result = FunctionCallOutput(id="fco_1", call_id="call_1", output=output)
    part = {"type": "tool_call_response", "id": "call_1", "response": response}
    assert [{"role": "tool", "parts": [part]}] == told(result)


def test_what_says_nothing_is_left_out() -> None:
    """References and sealed reasoning make no message."""
    assert told(ItemReference(id="msg_1")) + told(Reasoning(id="rs_1", encrypted_content="xyz")) == []


def test_answer_is_one_message() -> None:
    """All items of an answer are parts of one message, with its reason, keys masked."""
    thought = Reasoning(id="rs_1", content=(ReasoningText(text="Hm."),))
    refusal = Message(id="msg_1", role="assistant", content=(Refusal(refusal="Not sk-abcdef0123456789."),))
    (message,) = msgspec.json.decode(output_json([thought, refusal], "stop", without_keys))
    parts = [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Not sk-****"}]
    assert {"role": "assistant", "parts": parts, "finish_reason": "stop"} == message
