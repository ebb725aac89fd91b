from __future__ import annotations

import pytest

from agentbench.protocol.content import InputImage, InputText, OutputText, ReasoningText, Refusal, SummaryText
from agentbench.protocol.items import Message, Reasoning, assistant_message, user_message
from agentbench.protocol.values import new_id


def test_a_users_message() -> None:
    """A user's message is its text, then its images."""
    message = user_message("What is this?", "https://example.org/a.png", "data:image/png;base64,AA==")
    assert (message.role, message.text) == ("user", "What is this?")
    assert message.content[0] == InputText(text="What is this?")
    assert message.content[1:] == (
        InputImage(image_url="https://example.org/a.png"),
        InputImage(image_url="data:image/png;base64,AA=="),
    )


def test_an_assistants_message() -> None:
    """An assistant's message is finished, and its text is output."""
    message = assistant_message("A cat.")
    assert message == Message(id=message.id, role="assistant", content=(OutputText(text="A cat."),))
    assert message.status == "completed"


def test_text_and_refusal() -> None:
    """What a message says and what it refuses are apart."""
    parts = (OutputText(text="A"), Refusal(refusal="No, "), OutputText(text="B"), Refusal(refusal="never."))
    message = Message(id="msg_1", role="assistant", content=parts)
    assert (message.text, message.refusal) == ("AB", "No, never.")


def test_the_text_of_reasoning() -> None:
    """Reasoning is read raw where it is raw, else as its summary, a blank line between parts."""
    summary = (SummaryText(text="A"), SummaryText(text="B"))
    assert Reasoning(id="rs_1").text == ""
    assert Reasoning(id="rs_1", summary=summary).text == "A\n\nB"
    assert Reasoning(id="rs_1", summary=summary, content=(ReasoningText(text="C"),)).text == "C"


def test_values_do_not_change() -> None:
    """No value can be changed once it is made."""
    with pytest.raises(AttributeError):
        assistant_message("A").status = "incomplete"  # type: ignore[misc]


def test_a_new_id() -> None:
    """An id is its prefix and 32 hex digits, and never the same again."""
    first, second = new_id("msg"), new_id("msg")
    prefix, _, digits = first.partition("_")
    assert (prefix, len(digits), int(digits, 16) >= 0) == ("msg", 32, True)
    assert first != second
