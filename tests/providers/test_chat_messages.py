"""Items as the messages of Chat Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse
from agentbench.protocol.content import (
    InputFile,
    InputImage,
    InputText,
    InputVideo,
    OutputText,
    Refusal,
    SummaryText,
)
from agentbench.protocol.items import (
    Compaction,
    FunctionCall,
    FunctionCallOutput,
    ItemReference,
    Message,
    Reasoning,
    Role,
    assistant_message,
    user_message,
)
from agentbench.providers.chat_messages import messages

if TYPE_CHECKING:
    from agentbench.protocol import InputItem
    from agentbench.protocol.content import ContentPart

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def encoded(*items: InputItem, instructions: str | None = None) -> list[dict[str, Any]]:
    """Return the messages of a request with these items."""
    return messages(CreateResponse(model="small", input=items, instructions=instructions))


def says(role: Role, *parts: ContentPart) -> Message:
    """Return a message of these parts."""
    return Message(id="msg_1", role=role, content=parts)


def call(call_id: str, arguments: str = "{}") -> FunctionCall:
    """Return a call of `look`."""
    return FunctionCall(id=f"fc_{call_id}", call_id=call_id, name="look", arguments=arguments)


def wire_call(call_id: str, arguments: str = "{}") -> dict[str, Any]:
    """Return the same call as Chat Completions has it."""
    return {"id": call_id, "type": "function", "function": {"name": "look", "arguments": arguments}}


def test_instructions_come_first() -> None:
    """Instructions are a system message before all others."""
    assert encoded(user_message("Hi"), instructions="Be brief.") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


def test_no_instructions() -> None:
    """Without instructions there is no system message."""
    assert encoded(user_message("Hi"), instructions="") == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(("role", "wire"), [("system", "system"), ("developer", "system"), ("user", "user")])
def test_roles(role: Role, wire: str) -> None:
    """A developer's message is a system message, which all servers know."""
    assert encoded(says(role, InputText(text="Hi"))) == [{"role": wire, "content": "Hi"}]


def test_text_parts_join() -> None:
    """Several parts of text are one string: many servers know nothing else."""
    assert encoded(says("user", InputText(text="a"), InputText(text="b"))) == [{"role": "user", "content": "ab"}]


def test_image() -> None:
    """With an image, content is a list of parts."""
    image = InputImage(image_url=PIXEL, detail="low")
    assert encoded(says("user", InputText(text="What?"), image))[0]["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
    ]


def test_file() -> None:
    """A file goes with its content, and with its name if it has one."""
    named, bare = InputFile(filename="a.pdf", file_data="JVBERi0="), InputFile(file_data="JVBERi0=")
    assert encoded(says("user", named, bare))[0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0="}},
        {"type": "file", "file": {"file_data": "JVBERi0="}},
    ]


def test_file_by_address() -> None:
    """A file without content can't be sent."""
    with pytest.raises(InvalidRequest, match="reads files only by content"):
        encoded(says("user", InputFile(file_url="https://example.org/a.pdf")))


def test_video() -> None:
    """A video goes by its address, as vLLM takes it."""
    assert encoded(says("user", InputVideo(video_url="https://example.org/a.mp4")))[0]["content"] == [
        {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}
    ]


def test_refusal() -> None:
    """A refusal goes back as what the assistant said."""
    said = says("assistant", OutputText(text="Well. "), Refusal(refusal="I won't."))
    assert encoded(said) == [{"role": "assistant", "content": "Well. I won't."}]


def test_calls_join_their_message() -> None:
    """Calls of one turn go with what was said in it; their outputs follow."""
    turn = (assistant_message("Looking."), call("a"), call("b"))
    outputs = [FunctionCallOutput(id=f"fco_{each}", call_id=each, output=each.upper()) for each in "ab"]
    assert encoded(user_message("Look"), *turn, *outputs)[1:] == [
        {"role": "assistant", "content": "Looking.", "tool_calls": [wire_call("a"), wire_call("b")]},
        {"role": "tool", "tool_call_id": "a", "content": "A"},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
    ]


def test_calls_without_a_message() -> None:
    """Calls with nothing said are a message of their own; those of the next turn another one."""
    output = FunctionCallOutput(id="fco_1", call_id="a", output="A")
    assert encoded(call("a"), output, call("b")) == [
        {"role": "assistant", "content": None, "tool_calls": [wire_call("a")]},
        {"role": "tool", "tool_call_id": "a", "content": "A"},
        {"role": "assistant", "content": None, "tool_calls": [wire_call("b")]},
    ]


def test_call_without_arguments() -> None:
    """Empty arguments go as an empty object: servers parse them."""
    assert encoded(call("a", arguments=""))[0]["tool_calls"] == [wire_call("a", "{}")]


def test_output_in_parts() -> None:
    """A tool's message holds only text; what a tool shows follows all results, as a message of the user's."""
    text = FunctionCallOutput(id="fco_1", call_id="a", output=(InputText(text="A"), InputText(text="B")))
    image = FunctionCallOutput(id="fco_2", call_id="b", output=(InputImage(image_url=PIXEL),))
    more = FunctionCallOutput(id="fco_3", call_id="c", output="C")
    told = [(each["role"], each["content"]) for each in encoded(image, text, more, user_message("And?"))]
    shown = [
        {"type": "text", "text": "The result of b:"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "auto"}},
    ]
    assert told == [("tool", "See below."), ("tool", "AB"), ("tool", "C"), ("user", shown), ("user", "And?")]


def test_reasoning_is_left_out() -> None:
    """Chat Completions has no place for reasoning; calls still join the message before it."""
    thought = Reasoning(id="rs_1", summary=(SummaryText(text="Hm."),))
    assert encoded(assistant_message("Looking."), thought, call("a")) == [
        {"role": "assistant", "content": "Looking.", "tool_calls": [wire_call("a")]}
    ]


@pytest.mark.parametrize(
    ("item", "name"),
    [(ItemReference(id="msg_1"), "itemreference"), (Compaction(id="cmp_1", encrypted_content="x"), "compaction")],
)
def test_what_cannot_be_said(item: InputItem, name: str) -> None:
    """Items that only a Responses endpoint can read are refused, not dropped."""
    with pytest.raises(InvalidRequest, match=name) as caught:
        encoded(item)
    assert caught.value.param == "input"
