"""Items as the messages of Ollama's own API."""

from __future__ import annotations

from typing import Any

import pytest

from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse
from agentbench.protocol.content import InputFile, InputImage, InputText, InputVideo, OutputText, ReasoningText, Refusal
from agentbench.protocol.items import (
    Compaction,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    ItemReference,
    Message,
    Reasoning,
    assistant_message,
    user_message,
)
from agentbench.providers.ollama_messages import messages

IMAGE = "data:image/png;base64,aGk="


def encoded(*items: InputItem, instructions: str | None = None) -> list[dict[str, Any]]:
    """Return the messages of a request."""
    return messages(CreateResponse(input=items, instructions=instructions))


def call(call_id: str, arguments: str = "{}", name: str = "look") -> FunctionCall:
    """Return a call."""
    return FunctionCall(id=f"fc_{call_id}", call_id=call_id, name=name, arguments=arguments)


def result(call_id: str, output: Any) -> FunctionCallOutput:
    """Return a call's result."""
    return FunctionCallOutput(id=f"out_{call_id}", call_id=call_id, output=output)


def thought(text: str) -> Reasoning:
    """Return raw reasoning."""
    return Reasoning(id="rs_1", content=(ReasoningText(text=text),))


def wire_call(name: str = "look", **arguments: Any) -> dict[str, Any]:
    """Return a call as Ollama writes it."""
    return {"function": {"name": name, "arguments": arguments}}


def test_roles() -> None:
    """Instructions come first; a developer is a system."""
    developer = Message(id="msg_1", role="developer", content=(InputText(text="Be brief."),))
    assert encoded(developer, user_message("Hi"), assistant_message("Ho"), instructions="Be kind.") == [
        {"role": "system", "content": "Be kind."},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"},
    ]


def test_parts() -> None:
    """The texts of a message are joined, refusals too."""
    said = Message(id="msg_1", role="assistant", content=(OutputText(text="No: "), Refusal(refusal="I can't.")))
    assert encoded(said) == [{"role": "assistant", "content": "No: I can't."}]


def test_images() -> None:
    """Images are bare base64 beside the text."""
    assert encoded(user_message("What?", IMAGE, IMAGE)) == [
        {"role": "user", "content": "What?", "images": ["aGk=", "aGk="]}
    ]


@pytest.mark.parametrize("url", ["https://example.org/a.png", "data:image/svg+xml,%3Csvg%3E", "", None])
def test_images_by_address(url: str | None) -> None:
    """An image that Ollama would have to fetch is refused."""
    image = Message(id="msg_1", role="user", content=(InputImage(image_url=url),))
    with pytest.raises(InvalidRequest, match="Ollama doesn't fetch images"):
        encoded(image)


@pytest.mark.parametrize("part", [InputFile(file_data="aGk="), InputVideo(video_url="https://example.org/a.mp4")])
def test_files(part: InputFile | InputVideo) -> None:
    """Files and videos are refused."""
    with pytest.raises(InvalidRequest, match="text and images only"):
        encoded(Message(id="msg_1", role="user", content=(part,)))


@pytest.mark.parametrize("item", [Compaction(id="c_1", encrypted_content="x"), ItemReference(id="msg_1")])
def test_items_without_words(item: InputItem) -> None:
    """Items that Ollama has no words for are refused."""
    with pytest.raises(InvalidRequest, match="can't read items of type"):
        encoded(item)


def test_calls() -> None:
    """Calls join the message before them, with their arguments as an object; a result names its tool."""
    items = (assistant_message("Let me look."), call("a", '{"at":1}'), call("b", name="now"), result("a", "A"))
    assert encoded(user_message("Hi"), *items, result("b", "B"))[1:] == [
        {"role": "assistant", "content": "Let me look.", "tool_calls": [wire_call(at=1), wire_call("now")]},
        {"role": "tool", "content": "A", "tool_name": "look"},
        {"role": "tool", "content": "B", "tool_name": "now"},
    ]


def test_order_of_results() -> None:
    """Results go in the order of their calls in each turn, though ids come again; text may be in parts."""
    first = (call("a"), call("b"), result("b", (InputText(text="B"), InputImage(image_url=IMAGE))), result("a", "A"))
    second = (call("b"), call("a"), result("a", "a"), result("b", "b"))
    told = [each for each in encoded(*first, *second) if each["role"] == "tool"]
    assert [each["content"] for each in told] == ["A", "B", "b", "a"]
    assert told[1]["images"] == ["aGk="]


def test_result_of_nothing() -> None:
    """A result whose call isn't there goes without a name."""
    assert encoded(result("a", "A")) == [{"role": "tool", "content": "A"}]


@pytest.mark.parametrize(
    ("written", "sent"),
    [("", {}), ('{"a":1}', {"a": 1}), ('{"a":', {"arguments": '{"a":'}), ("[]", {"arguments": "[]"})],
)
def test_arguments(written: str, sent: dict[str, Any]) -> None:
    """Arguments that a model garbled are sent as one, as they were."""
    assert encoded(call("a", written))[0]["tool_calls"][0]["function"]["arguments"] == sent


def test_thoughts() -> None:
    """Thoughts are sent in the turn that goes on, joined to what followed them; those of earlier turns are left out."""
    earlier = (user_message("Hi"), thought("Greet."), assistant_message("Ho"))
    now = (
        user_message("Look"),
        thought("Look."),
        call("a"),
        result("a", "A"),
        thought("Say."),
        assistant_message("A."),
    )
    assert encoded(*earlier, *now)[1:] == [
        {"role": "assistant", "content": "Ho"},
        {"role": "user", "content": "Look"},
        {"role": "assistant", "content": "", "thinking": "Look.", "tool_calls": [wire_call()]},
        {"role": "tool", "content": "A", "tool_name": "look"},
        {"role": "assistant", "content": "A.", "thinking": "Say."},
    ]


def test_sealed_thoughts() -> None:
    """Another provider's sealed reasoning is left out."""
    assert encoded(user_message("Hi"), Reasoning(id="rs_1", encrypted_content="x")) == [
        {"role": "user", "content": "Hi"}
    ]
