"""From items to the `contents` of the Gemini API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.providers.speak_google import Body

from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse
from agentbench.protocol.content import (
    ContentPart,
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
    InputItem,
    ItemReference,
    Message,
    Reasoning,
    assistant_message,
    user_message,
)
from agentbench.providers.google_contents import CALL_SEAL, TEXT_SEAL, contents

HI, HELLO = user_message("Hi"), assistant_message("Hello.")
USER_HI = {"role": "user", "parts": [{"text": "Hi"}]}
CALL = FunctionCall(id="fc_1", call_id="call_1", name="look", arguments='{"at": "sky"}')
WIRE_CALL = {"functionCall": {"id": "call_1", "name": "look", "args": {"at": "sky"}}}
AGAIN = FunctionCall(id="fc_2", call_id="call_2", name="look", arguments="")
WIRE_AGAIN = {"functionCall": {"id": "call_2", "name": "look", "args": {}}}
SIGNED = {"thoughtSignature": "U0lH"}


def turns(*items: InputItem, signed: bool = False) -> list[Any]:
    """Return the turns of a conversation, once the API's own types have taken them."""
    raw = msgspec.json.encode(contents(CreateResponse(input=items), signed=signed))
    Body.model_validate_json(b'{"contents":%s}' % raw)
    return msgspec.json.decode(raw, type=list[Any])


def parts(*content: ContentPart) -> list[Any]:
    """Return the parts of one user's message."""
    return [part for turn in turns(Message(id="msg_1", role="user", content=content)) for part in turn["parts"]]


def result(output: Any, call_id: str = "call_1") -> FunctionCallOutput:
    """Return what a call gave back."""
    return FunctionCallOutput(id=f"fco_{call_id}", call_id=call_id, output=output)


def sealed(seal: str) -> Reasoning:
    """Return a reasoning item with a provider's seal."""
    return Reasoning(id="rs_1", summary=(SummaryText(text="I think."),), encrypted_content=seal)


def test_roles() -> None:
    """Turns go back and forth between two roles; what one says in a row is one turn."""
    refusal = Message(id="msg_2", role="assistant", content=(Refusal(refusal="No."),))
    assert turns(HI, HI, HELLO, refusal, HI) == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "Hello."}, {"text": "No."}]},
        USER_HI,
    ]


def test_empty_texts() -> None:
    """Empty texts are left out, and turns with nothing else: the API refuses them."""
    assert turns(HI, assistant_message("")) == [USER_HI]


@pytest.mark.parametrize(
    ("part", "wire"),
    [
        (InputImage(image_url="data:image/png;base64,AAAA"), {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        (
            InputImage(image_url="data:image/svg+xml;charset=utf-8,%3Csvg/%3E"),
            {"inlineData": {"mimeType": "image/svg+xml", "data": "PHN2Zy8+"}},
        ),
        (InputImage(image_url="data:,hi"), {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}),
        (
            InputImage(image_url="https://acme.example/cat.webp?size=1"),
            {"fileData": {"fileUri": "https://acme.example/cat.webp?size=1", "mimeType": "image/webp"}},
        ),
        (InputImage(image_url="https://acme.example/cat"), {"fileData": {"fileUri": "https://acme.example/cat"}}),
        (
            InputVideo(video_url="gs://acme/cat.mp4"),
            {"fileData": {"fileUri": "gs://acme/cat.mp4", "mimeType": "video/mp4"}},
        ),
        (
            InputFile(filename="a.pdf", file_data="AAAA"),
            {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
        ),
        (
            InputFile(filename="a.pdf", file_data="data:text/csv;base64,AAAA"),
            {"inlineData": {"mimeType": "text/csv", "data": "AAAA"}},
        ),
        (
            InputFile(file_url="https://acme.example/a.pdf"),
            {"fileData": {"fileUri": "https://acme.example/a.pdf", "mimeType": "application/pdf"}},
        ),
        (OutputText(text="Mine."), {"text": "Mine."}),
    ],
)
def test_parts(part: ContentPart, wire: object) -> None:
    """Content goes inline where it is there, by address where it isn't."""
    assert parts(InputText(text="Look: "), part) == [{"text": "Look: "}, wire]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (InputImage(image_url="http://acme.example/cat.png"), "data: and https:"),
        (InputImage(), "data: and https:"),
        (InputFile(filename="a.pdf"), "data: and https:"),
        (InputFile(file_data="AAAA"), "type of a file"),
        (InputFile(filename="thing", file_data="AAAA"), "type of a file"),
    ],
)
def test_parts_that_cant_go(part: ContentPart, words: str) -> None:
    """What the API can't read is the caller's to change."""
    with pytest.raises(InvalidRequest, match=words):
        parts(part)


def test_calls() -> None:
    """Calls of one turn are one turn, and so are their results, under their calls' names and ids."""
    assert turns(HI, CALL, AGAIN, result("Blue."), result("Black.", "call_2")) == [
        USER_HI,
        {"role": "model", "parts": [WIRE_CALL, WIRE_AGAIN]},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "call_1", "name": "look", "response": {"result": "Blue."}}},
                {"functionResponse": {"id": "call_2", "name": "look", "response": {"result": "Black."}}},
            ],
        },
    ]


def test_broken_arguments() -> None:
    """Arguments that aren't a JSON object go as one."""
    broken = msgspec.structs.replace(CALL, arguments='{"at":')
    assert turns(HI, broken)[1]["parts"][0]["functionCall"]["args"] == {"arguments": '{"at":'}


@pytest.mark.parametrize(
    ("output", "response"),
    [
        ("Blue.", {"result": "Blue."}),
        ("", {"result": ""}),
        ('{"colour": "blue"}', {"colour": "blue"}),
        ("[1]", {"result": "[1]"}),
        ("12", {"result": "12"}),
        ((InputText(text="Bl"), InputText(text="ue.")), {"result": "Blue."}),
    ],
)
def test_results(output: Any, response: object) -> None:
    """A result is an object: JSON objects as they are, anything else as a text within one."""
    assert turns(HI, CALL, result(output))[2]["parts"][0]["functionResponse"]["response"] == response


def test_result_with_an_image() -> None:
    """An image in a result follows it."""
    output = (InputImage(image_url="data:image/png;base64,AAAA"), InputText(text="The sky."))
    assert turns(HI, CALL, result(output))[2]["parts"] == [
        {"functionResponse": {"id": "call_1", "name": "look", "response": {"result": "The sky."}}},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
    ]


def test_result_of_no_call() -> None:
    """A result needs its call, for its name."""
    with pytest.raises(InvalidRequest, match="call_1"):
        turns(HI, result("Blue."))


@pytest.mark.parametrize("item", [Compaction(id="cmp_1", encrypted_content="x"), ItemReference(id="msg_1")])
def test_other_items(item: InputItem) -> None:
    """Items that only others can read are refused."""
    with pytest.raises(InvalidRequest, match="can't read items"):
        turns(item)


def test_signature_of_a_call() -> None:
    """A call's signature goes on the call after it, and on no other."""
    assert turns(HI, sealed(CALL_SEAL + "U0lH"), CALL, AGAIN)[1]["parts"] == [WIRE_CALL | SIGNED, WIRE_AGAIN]


def test_signature_of_a_call_that_is_gone() -> None:
    """A signature whose call isn't there goes on no later call."""
    assert turns(HI, sealed(CALL_SEAL + "U0lH"), HELLO, CALL)[1]["parts"] == [{"text": "Hello."}, WIRE_CALL]


def test_signature_of_a_text() -> None:
    """A text's signature goes on the text before it."""
    assert turns(HI, HELLO, sealed(TEXT_SEAL + "U0lH"), CALL)[1]["parts"] == [{"text": "Hello."} | SIGNED, WIRE_CALL]


def test_signature_of_no_text() -> None:
    """A text's signature without a text has a part of its own, as it came."""
    assert turns(HI, sealed(TEXT_SEAL + "U0lH"))[1:] == [{"role": "model", "parts": [{"text": ""} | SIGNED]}]


def test_reasoning_of_others() -> None:
    """Another provider's seal, and reasoning without one, are left out."""
    assert turns(HI, sealed("gAAAA-another's"), Reasoning(id="rs_2"), HELLO) == turns(HI, HELLO)


def test_stand_in_for_a_signature() -> None:
    """Where a signature is a must, the first call of a turn has a stand-in if nothing better."""
    unsigned = {"thoughtSignature": "skip_thought_signature_validator"}
    told = turns(HI, CALL, AGAIN, result("Blue."), result("Blue.", "call_2"), signed=True)
    assert told[1]["parts"] == [WIRE_CALL | unsigned, WIRE_AGAIN]
    assert turns(HI, sealed(CALL_SEAL + "U0lH"), CALL, signed=True)[1]["parts"] == [WIRE_CALL | SIGNED]
