"""Items as the messages of Bedrock's Converse; each request must pass AWS's own description of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET
from tests.providers.speak_bedrock import complaint

from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse
from agentbench.protocol.content import (
    InputFile,
    InputImage,
    InputText,
    InputVideo,
    OutputText,
    ReasoningText,
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
    assistant_message,
    user_message,
)
from agentbench.providers.bedrock_request import encode_converse

if TYPE_CHECKING:
    from agentbench.protocol import InputItem
    from agentbench.protocol.content import ContentPart

HI = user_message("Hi")
WIRE_HI = {"role": "user", "content": [{"text": "Hi"}]}
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x1"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def encoded(*items: InputItem, model: str = "meta.llama4-v1:0", **given: Any) -> dict[str, Any]:
    """Return the parameters for a conversation, which the service would take."""
    body = encode_converse(CreateResponse(model=model, input=items, **given))
    assert complaint(body) is None
    return body


def user(*parts: ContentPart) -> Message:
    """Return a user's message of parts."""
    return Message(id="msg_1", role="user", content=parts)


def call(call_id: str, arguments: str = "{}") -> FunctionCall:
    """Return a call of `look`."""
    return FunctionCall(id="fc_1", call_id=call_id, name="look", arguments=arguments)


def result(call_id: str, output: Any) -> FunctionCallOutput:
    """Return what a call gave."""
    return FunctionCallOutput(id="fco_1", call_id=call_id, output=output)


def blocks(*parts: ContentPart) -> list[dict[str, Any]]:
    """Return the blocks that the parts of a user's message become."""
    content: list[dict[str, Any]] = encoded(user(*parts))["messages"][0]["content"]
    return content


def test_smallest_body() -> None:
    """What wasn't asked for isn't in the body."""
    assert encoded(HI) == {"modelId": "meta.llama4-v1:0", "messages": [WIRE_HI]}


def test_system() -> None:
    """Instructions and messages of the system's or developer's stand apart, in order."""
    told = [Message(id="msg_1", role=role, content=(InputText(text=role),)) for role in ("system", "developer")]
    body = encoded(told[0], HI, told[1], instructions="Be brief.")
    assert body["system"] == [{"text": "Be brief."}, {"text": "system"}, {"text": "developer"}]
    assert body["messages"] == [WIRE_HI]


def test_sides_alternate() -> None:
    """What one side says in a row becomes one message; blank texts and empty messages are left out."""
    body = encoded(HI, user_message("there"), assistant_message(" \n"), HI, assistant_message("Yes"), HI)
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "Hi"}, {"text": "there"}, {"text": "Hi"}]},
        {"role": "assistant", "content": [{"text": "Yes"}]},
        WIRE_HI,
    ]


def test_refusal_is_text() -> None:
    """What an assistant refused it said."""
    refused = Message(id="msg_1", role="assistant", content=(OutputText(text="No."), Refusal(refusal="I can't.")))
    assert encoded(HI, refused)["messages"][1]["content"] == [{"text": "No."}, {"text": "I can't."}]


def test_calls_and_results() -> None:
    """Calls join the assistant's message, all their results the user's; one that failed says so."""
    sight = (InputText(text="Error:"), InputImage(image_url="data:image/png;base64,iVBORw0K"))
    body = encoded(
        HI, assistant_message("I look."), call("a", '{"at":"me"}'), call("b"), result("a", ""), result("b", sight)
    )
    assert body["messages"][1]["content"] == [
        {"text": "I look."},
        {"toolUse": {"toolUseId": "a", "name": "look", "input": {"at": "me"}}},
        {"toolUse": {"toolUseId": "b", "name": "look", "input": {}}},
    ]
    image = {"image": {"format": "png", "source": {"bytes": "iVBORw0K"}}}
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "(nothing)"}]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": "Error:"}, image]}},
    ]


@pytest.mark.parametrize(
    ("model", "status"), [(CLAUDE, "error"), ("amazon.nova-lite-v1:0", "error"), ("meta.llama4-v1:0", None)]
)
def test_failed_call(model: str, status: str | None) -> None:
    """That a call failed is told to the models that know a status."""
    body = encoded(HI, call("a"), result("a", "Error: no such file"), model=model)
    assert body["messages"][2]["content"][0]["toolResult"].get("status") == status


@pytest.mark.parametrize(
    ("given", "sent"),
    [("toolu_1.a:b-c", "toolu_1.a:b-c"), ("call|fc", "call_fc"), ("x" * 70, "x" * 64), ("호출", "__")],
)
def test_foreign_ids(given: str, sent: str) -> None:
    """An id from another provider is made fit, for the call and its result alike."""
    messages = encoded(HI, call(given), result(given, "1"))["messages"]
    assert messages[1]["content"][0]["toolUse"]["toolUseId"] == sent
    assert messages[2]["content"][0]["toolResult"]["toolUseId"] == sent


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [("", {}), ('{"a":1}', {"a": 1}), ('{"a":', {"arguments": '{"a":'}), ("[1]", {"arguments": "[1]"})],
)
def test_arguments(arguments: str, sent: dict[str, Any]) -> None:
    """Arguments are an object; others go under a name."""
    assert encoded(HI, call("a", arguments))["messages"][1]["content"][0]["toolUse"]["input"] == sent


@pytest.mark.parametrize(
    ("url", "form"),
    [("data:image/png;base64,AAAA", "png"), ("data:image/JPG;charset=x;base64,AAAA", "jpeg")],
)
def test_image(url: str, form: str) -> None:
    """An image goes as bytes, in the format that its type says."""
    assert blocks(InputImage(image_url=url)) == [{"image": {"format": form, "source": {"bytes": "AAAA"}}}]


@pytest.mark.parametrize(
    ("filename", "data", "form", "name"),
    [
        ("Report 2026.pdf", "JVBERi0x", "pdf", "Report 2026"),
        ("a_b..c@d.TXT", "data:application/octet-stream;base64,AAAA", "txt", "a b c d"),
        ("보고서 (1).docx", "AAAA", "docx", "보고서 (1)"),
        (UNSET, "data:text/markdown;base64,AAAA", "md", "document"),
        (UNSET, "JVBERi0x", "pdf", "document"),
        ("notes", "data:text/csv;base64,AAAA", "csv", "notes"),
        ("???.html", "AAAA", "html", "document"),
    ],
)
def test_document(filename: Any, data: str, form: str, name: str) -> None:
    """A document has a format and a name that Converse allows, and a text beside it."""
    sent = blocks(InputFile(filename=filename, file_data=data))
    assert sent == [
        {"document": {"format": form, "name": name, "source": {"bytes": data.rpartition(",")[2]}}},
        {"text": "See the attached."},
    ]


def test_document_names_differ() -> None:
    """Two documents of one name are told apart, also across messages; their own text is enough."""
    file = InputFile(filename="a.txt", file_data="AAAA")
    messages = encoded(user(file, file, InputText(text="Compare.")), assistant_message("Yes"), user(file))["messages"]
    names = [block["document"]["name"] for each in messages for block in each["content"] if "document" in block]
    assert names == ["a", "a (2)", "a (3)"]
    assert messages[0]["content"][2:] == [{"text": "Compare."}]


@pytest.mark.parametrize(
    "part",
    [
        InputImage(image_url="https://example.org/a.png"),
        InputImage(image_url="data:image/tiff;base64,AAAA"),
        InputImage(image_url="data:image/png,raw"),
        InputImage(),
        InputFile(filename="a.zip", file_data="AAAA"),
        InputFile(file_url="https://example.org/a.pdf"),
        InputVideo(video_url="https://example.org/a.mp4"),
    ],
)
def test_unreadable_parts(part: ContentPart) -> None:
    """What Converse can't be sent is refused here."""
    with pytest.raises(InvalidRequest, match=r"This endpoint|base64"):
        encoded(user(part))


@pytest.mark.parametrize("item", [Compaction(id="cmp_1", encrypted_content="x"), ItemReference(id="msg_1")])
def test_unreadable_items(item: InputItem) -> None:
    """Items that only others can read are refused here."""
    with pytest.raises(InvalidRequest, match="can't read items of type"):
        encoded(item)


SIGNED = {"reasoningContent": {"reasoningText": {"text": "So.", "signature": "c2ln"}}}
REDACTED = {"reasoningContent": {"redactedContent": "ZXlK"}}


@pytest.mark.parametrize(
    ("model", "seal", "sent"),
    [
        (CLAUDE, "bedrock:anthropic:signature:c2ln", SIGNED),
        (CLAUDE, "bedrock::signature:c2ln", SIGNED),
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x1",
            "bedrock:anthropic:signature:c2ln",
            SIGNED,
        ),
        ("us.openai.gpt-5.6-sol", "bedrock:openai:redacted:ZXlK", REDACTED),
        ("us.openai.gpt-5.6-sol", "bedrock:anthropic:signature:c2ln", None),
        (CLAUDE, "bedrock:openai:redacted:ZXlK", None),
        (CLAUDE, "c2lnbmVkIGJ5IGFub3RoZXI=", None),
        (CLAUDE, "rs_1|bedrock:anthropic:signature:c2ln", None),
        (CLAUDE, UNSET, None),
    ],
)
def test_thoughts(model: str, seal: Any, sent: dict[str, Any] | None) -> None:
    """A thought goes back to the maker that sealed it, and to nobody else."""
    thought = Reasoning(id="rs_1", content=(ReasoningText(text="So."),), encrypted_content=seal)
    content = encoded(HI, thought, assistant_message("Yes"), model=model)["messages"][1]["content"]
    assert content == ([sent] if sent else []) + [{"text": "Yes"}]


def test_thought_as_summary() -> None:
    """A thought that came back through a client of Anthropic's has its words in the summary."""
    thought = Reasoning(
        id="rs_1", summary=(SummaryText(text="So."),), encrypted_content="bedrock:anthropic:signature:c2ln"
    )
    assert encoded(HI, thought, model=CLAUDE)["messages"][1]["content"] == [SIGNED]
