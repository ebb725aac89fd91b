"""Open WebUI's exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.archives.told import answer, question, tree

from agentbench.archives.reading import read
from agentbench.protocol.content import InputImage
from agentbench.protocol.items import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read


def test_answers_side_by_side_are_branches(opened: Callable[[str], Read]) -> None:
    """Two models' answers to one question both stay; the current message says which goes on."""
    [talk] = opened("open_webui.json").found
    assert tree(talk) == {"Red.": None, "Crimson, I think.": None, "Yes: 18 °C.": "Crimson, I think."}
    assert [turn.response.model for turn in talk.turns] == ["llava:7b", "gemma3:4b", "gemma3:4b"]
    assert talk.conversation.head == talk.turns[-1].response.id


def test_folded_reasoning_is_reasoning(opened: Callable[[str], Read]) -> None:
    """What a model thought lies folded in its text, and is taken out of there."""
    [talk] = opened("open_webui.json").found
    assert answer(talk.turns[0]) == ["thought: One pixel.\nIt is red.", "assistant: Red."]


def test_items_of_an_answer_are_taken_as_they_are(opened: Callable[[str], Read]) -> None:
    """Where an answer is told item by item, its text isn't looked at."""
    [talk] = opened("open_webui.json").found
    assert answer(talk.turns[2]) == ["thought: Ask the sensor.", "sensor({})", "-> 18", "assistant: Yes: 18 °C."]


def test_images_stay(opened: Callable[[str], Read]) -> None:
    """An image that is in the file is in the question."""
    [talk] = opened("open_webui.json").found
    [asked] = talk.turns[0].input
    assert isinstance(asked, Message)
    image = asked.content[1]
    assert isinstance(image, InputImage)
    assert str(image.image_url).startswith("data:image/png;base64,")


def test_tokens_stay(opened: Callable[[str], Read]) -> None:
    """What an answer took is known of it."""
    [talk] = opened("open_webui.json").found
    usage = talk.turns[0].response.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (40, 3)


def test_an_empty_chat_is_told_with_its_place(opened: Callable[[str], Read]) -> None:
    """A chat in which nothing was said is no conversation; the others are read."""
    [problem] = opened("open_webui.json").problems
    assert (problem.place, problem.reason) == ("entry 2", "it has no messages")


def test_an_old_export_has_a_list(opened: Callable[[str], Read]) -> None:
    """Without a tree the messages follow each other, and a folded call is a call."""
    said = '<details type="tool_calls" id="c" name="f" arguments="{&quot;a&quot;:1}" result="2"></details>Two.'
    messages = [{"role": "user", "content": "f?"}, {"role": "assistant", "content": said}]
    [talk] = read(_json([{"id": "x", "chat": {"messages": messages}}]), "ann").found
    assert question(talk.turns[0]) == ["user: f?"]
    assert answer(talk.turns[0]) == ['f({"a":1})', "-> 2", "assistant: Two."]


def _json(value: object) -> bytes:
    import msgspec

    return msgspec.json.encode(value)
