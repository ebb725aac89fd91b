"""Messages of Chat Completions, and lines to fine-tune with, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace
from tests.archives.told import answer, question
from tests.notebook.turns import turn

from agentbench.archives.chat_messages import line
from agentbench.protocol.content import OutputText, ReasoningText, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning, assistant_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read


def written(*turns: Any) -> dict[str, Any]:
    """Return a line as an object."""
    told: dict[str, Any] = msgspec.json.decode(line(turns))
    return told


def test_a_plain_conversation_is_read(opened: Callable[[str], Read]) -> None:
    """A list of messages is a conversation, with what else the file says of it."""
    [talk] = opened("messages.json").found
    assert (talk.conversation.title, talk.turns[0].response.model) == ("Trains", "gpt-4o-mini")
    assert question(talk.turns[0]) + answer(talk.turns[0]) == ["user: When does the train leave?", "assistant: At ten."]


def test_a_line_is_a_conversation(opened: Callable[[str], Read]) -> None:
    """Each line is read, with what the system said, calls, results and refusals."""
    one, other = opened("fine_tuning.jsonl").found
    assert question(one.turns[0]) == ["system: Answer in French.", "user: Good morning"]
    assert answer(other.turns[0]) == ['colour({"x":0})', "-> red", "assistant: It is red."]
    assert answer(other.turns[1]) == ["assistant: I can't say."]
    assert [tool.name for tool in other.turns[0].response.tools] == ["colour"]


def test_lines_come_back(opened: Callable[[str], Read]) -> None:
    """What was read as lines is written as the same lines."""
    found = opened("fine_tuning.jsonl").found
    again = [msgspec.json.decode(line(talk.turns)) for talk in found]
    assert again[0]["messages"][0] == {"role": "system", "content": "Answer in French."}
    assert again[1]["messages"][1]["tool_calls"][0]["function"] == {"name": "colour", "arguments": '{"x":0}'}
    assert again[1]["messages"][-1] == {"role": "assistant", "content": None, "refusal": "I can't say."}
    assert again[1]["tools"][0]["function"]["name"] == "colour"


def test_instructions_are_the_first_message() -> None:
    """What a question said to the system stands in front."""
    told = written(turn("Hi", "Hello", instructions="Be kind."))
    assert told["messages"][0] == {"role": "system", "content": "Be kind."}


def test_images_are_parts() -> None:
    """An image is a part of the message."""
    [asked, _] = written(turn("This?", "Red", "data:image/png;base64,AA=="))["messages"]
    assert [part["type"] for part in asked["content"]] == ["text", "image_url"]


def test_thoughts_and_calls_without_results_are_left_out() -> None:
    """A model can't be tuned with either."""
    output = (
        Reasoning(id="r", content=(ReasoningText(text="Hm."),)),
        FunctionCall(id="f", call_id="lost", name="f", arguments="{}"),
        FunctionCall(id="g", call_id="c", name="g", arguments="{}"),
        FunctionCallOutput(id="o", call_id="c", output="1"),
        assistant_message("One."),
    )
    [_, call, result, said] = written(turn("?", output))["messages"]
    assert [each["function"]["name"] for each in call["tool_calls"]] == ["g"]
    assert (result["content"], said["content"]) == ("1", "One.")


def test_a_refusal_has_a_name_of_its_own() -> None:
    """Also beside text."""
    said = Message(id="m", role="assistant", content=(OutputText(text="Well."), Refusal(refusal="No.")))
    assert written(turn("?", (said,)))["messages"][-1] == {"role": "assistant", "content": "Well.", "refusal": "No."}


def test_what_failed_is_not_learned() -> None:
    """A turn that failed or was never answered is left out; of nothing there is no line."""
    failed = turn("?", "Half", status="failed")
    empty = replace(turn("?", ()), parent=None)
    assert line([failed, empty]) == ""
    assert len(written(failed, turn("Hi", "Hello"))["messages"]) == 2
