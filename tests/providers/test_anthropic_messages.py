"""Items as the system prompt and the turns of Anthropic's Messages."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.speak_anthropic_rules import refusal, signature

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
from agentbench.providers.anthropic_messages import REDACTED, SIGNED, messages

if TYPE_CHECKING:
    from agentbench.protocol import InputItem
    from agentbench.protocol.content import ContentPart

HELLO = user_message("Hi")
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}}
CALL = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"x": 1}}
RESULT = {"type": "tool_result", "tool_use_id": "call_1", "content": "seen"}
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": signature("Hm.")}
THOUGHT = Reasoning(id="rs_1", summary=(SummaryText(text="Hm."),), encrypted_content=SIGNED + signature("Hm."))
HIDDEN = Reasoning(id="rs_2", encrypted_content=REDACTED + signature(""))
NOTE = b64encode(b"A note.").decode()


def text(words: str) -> dict[str, str]:
    """Return a block of text."""
    return {"type": "text", "text": words}


def said(role: Role, *parts: ContentPart) -> Message:
    """Return a message."""
    return Message(id="msg_1", role=role, content=parts)


def call(call_id: str = "call_1", arguments: str = '{"x":1}') -> FunctionCall:
    """Return a call of `look`."""
    return FunctionCall(id="fc_1", call_id=call_id, name="look", arguments=arguments)


def result(call_id: str = "call_1", output: Any = "seen") -> FunctionCallOutput:
    """Return what the call gave."""
    return FunctionCallOutput(id="fco_1", call_id=call_id, output=output)


def turns(*items: InputItem) -> list[tuple[str, list[Any]]]:
    """Return the turns that items make, which the API must take."""
    made = messages(CreateResponse(input=items))[1]
    assert refusal({"model": "small", "max_tokens": 1, "messages": made}, "2023-06-01") is None
    return [(turn["role"], turn["content"]) for turn in made]


def blocks(*parts: ContentPart) -> list[Any]:
    """Return the blocks that the parts of a user's message make."""
    return turns(said("user", *parts))[0][1]


def system(*items: InputItem, instructions: str | None = None) -> str:
    """Return the system prompt."""
    return messages(CreateResponse(input=items, instructions=instructions))[0]


def test_system_prompt() -> None:
    """Instructions and the system messages at the beginning are the prompt, in their order."""
    leading = (said("system", InputText(text="Be kind.")), said("developer", InputText(text="Be brief.")))
    assert system(*leading, HELLO, instructions="You are Ann.") == "You are Ann.\n\nBe kind.\n\nBe brief."
    assert system(HELLO, instructions=" ") == ""


def test_later_system_message() -> None:
    """A later system message is said within the user's turn."""
    later = said("developer", InputText(text="Be brief."))
    assert turns(HELLO, assistant_message("Hello."), later, HELLO)[2] == (
        "user",
        [text("<system>\nBe brief.\n</system>"), text("Hi")],
    )


def test_system_messages_only() -> None:
    """Where there is nothing else, a system message is the user's turn."""
    assert turns(said("system", InputText(text="Tell a joke."))) == [
        ("user", [text("<system>\nTell a joke.\n</system>")])
    ]


def test_turns_alternate() -> None:
    """What one side says in a row is one turn; a refusal was said as well."""
    refused = said("assistant", Refusal(refusal="No."))
    assert turns(HELLO, HELLO, assistant_message("Hello."), refused, HELLO) == [
        ("user", [text("Hi"), text("Hi")]),
        ("assistant", [text("Hello."), text("No.")]),
        ("user", [text("Hi")]),
    ]


def test_white_space() -> None:
    """Text of nothing but white space is left out, and so are turns of nothing else."""
    assert turns(HELLO, assistant_message("\n\n"), call(), result()) == [
        ("user", [text("Hi")]),
        ("assistant", [CALL]),
        ("user", [RESULT]),
    ]
    assert turns(HELLO, assistant_message(""), HELLO) == [("user", [text("Hi"), text("Hi")])]


def test_end_of_an_unfinished_answer() -> None:
    """An answer to go on with doesn't end in white space; one within the conversation is as it was."""
    begun = assistant_message("So far: \n")
    assert turns(HELLO, begun)[1] == ("assistant", [text("So far:")])
    assert turns(HELLO, begun, HELLO)[1] == ("assistant", [text("So far: \n")])


def test_calls_and_results() -> None:
    """Calls join the assistant's turn; their results are one turn, before what the user says."""
    made = turns(HELLO, assistant_message("Looking."), call(), call("call_2", ""), HELLO, result(), result("call_2"))
    assert made == [
        ("user", [text("Hi")]),
        ("assistant", [text("Looking."), CALL, CALL | {"id": "call_2", "input": {}}]),
        ("user", [RESULT, RESULT | {"tool_use_id": "call_2"}, text("Hi")]),
    ]


def test_result_with_an_image() -> None:
    """A result may hold images."""
    output = (InputText(text="A map:"), InputImage(image_url="data:image/png;base64,iVBORw=="))
    assert turns(HELLO, call(), result(output=output))[2] == ("user", [RESULT | {"content": [text("A map:"), PNG]}])


def test_ids_of_other_providers() -> None:
    """A call's id is written in the characters that the API takes, in the result as well."""
    made = turns(HELLO, call("look:0.1"), result("look:0.1"))
    assert (made[1][1][0]["id"], made[2][1][0]["tool_use_id"]) == ("look_0_1", "look_0_1")


@pytest.mark.parametrize("arguments", ["[1]", '{"x":'])
def test_arguments_that_are_no_object(arguments: str) -> None:
    """Arguments that aren't a JSON object are kept as text."""
    assert turns(HELLO, call(arguments=arguments), result())[1][1][0]["input"] == {"INVALID_JSON": arguments}


def test_reasoning_goes_with_what_follows() -> None:
    """Reasoning stands before what it led to, with its signature, or as the data that stands for it."""
    made = turns(HELLO, THOUGHT, HIDDEN, assistant_message("Looking."), THOUGHT, call(), result())
    hidden = {"type": "redacted_thinking", "data": signature("")}
    assert made[1] == ("assistant", [THINKING, hidden, text("Looking."), THINKING, CALL])


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning(id="rs_1", summary=(SummaryText(text="Hm."),)),
        Reasoning(id="rs_1", encrypted_content="gAAAAABo_of_another_provider"),
    ],
)
def test_reasoning_that_is_not_anthropics(thought: Reasoning) -> None:
    """Reasoning without Anthropic's seal is left out."""
    assert turns(HELLO, thought, assistant_message("Hello."))[1] == ("assistant", [text("Hello.")])


def test_reasoning_that_led_to_nothing() -> None:
    """Reasoning of an answer that broke off is left out: no turn may end with it."""
    assert turns(HELLO, THOUGHT, HELLO) == [("user", [text("Hi"), text("Hi")])]
    assert turns(HELLO, assistant_message("Well."), THOUGHT)[1] == ("assistant", [text("Well.")])


def test_hidden_thinking_text() -> None:
    """Thinking whose text the API kept to itself goes back with its signature alone."""
    thought = Reasoning(id="rs_1", encrypted_content=SIGNED + signature(""))
    block = {"type": "thinking", "thinking": "", "signature": signature("")}
    assert turns(HELLO, thought, assistant_message("42."))[1] == ("assistant", [block, text("42.")])


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (OutputText(text="Hi"), text("Hi")),
        (InputImage(image_url="data:image/png;base64,iVBORw=="), PNG),
        (
            InputImage(image_url="data:image/jpg;base64,/9j/"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}},
        ),
        (
            InputImage(image_url="https://example.org/a.png"),
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        ),
        (
            InputFile(file_url="https://example.org/a.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        ),
        (
            InputFile(file_data="JVBERi0="),
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}},
        ),
        (
            InputFile(filename="a.pdf", file_data="data:application/octet-stream;base64,JVBERi0="),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "a.pdf",
            },
        ),
        (
            InputFile(filename="a.unheard", file_data=NOTE),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "A note."},
                "title": "a.unheard",
            },
        ),
        (
            InputFile(file_data=f"data:text/csv;charset=utf-8;base64,{NOTE}"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A note."}},
        ),
        (InputFile(filename="a.png", file_data="iVBORw=="), PNG),
    ],
)
def test_parts(part: ContentPart, block: dict[str, Any]) -> None:
    """Each part of a message is a block."""
    assert blocks(part) == [block]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (InputImage(), "image_url"),
        (InputImage(image_url="data:image/png,%89PNG"), "base64"),
        (InputFile(filename="a.pdf"), "file_data or file_url"),
        (InputFile(filename="a.docx", file_data="UEsDBBQA/w=="), "Convert a.docx first"),
        (InputFile(file_data="data:text/plain;base64,***"), "Convert the file first"),
        (InputVideo(video_url="https://example.org/a.mp4"), "videos"),
    ],
)
def test_parts_that_can_not_be_sent(part: ContentPart, words: str) -> None:
    """What the API has no block for is refused, with what to do about it."""
    with pytest.raises(InvalidRequest, match=words):
        blocks(part)


@pytest.mark.parametrize("item", [Compaction(id="cmp_1", encrypted_content="x"), ItemReference(id="msg_1")])
def test_items_that_can_not_be_sent(item: InputItem) -> None:
    """Items that only their maker can open are refused."""
    with pytest.raises(InvalidRequest, match="can't read items of type"):
        turns(item)
