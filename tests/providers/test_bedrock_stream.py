"""ConverseStream's frames: what the recordings in `test_contract.py` don't say."""

from __future__ import annotations

import base64

import pytest
from tests.grammar import check_grammar
from tests.providers.bedrock_frames import frame, raw_frame
from tests.providers.replay import recorded, replay, told

from agentbench.protocol import CreateResponse, EventBuilder, Response, collect, draft
from agentbench.protocol.content import OutputText, UrlCitation
from agentbench.protocol.events import ErrorEvent
from agentbench.protocol.items import Message, Reasoning
from agentbench.providers.bedrock_stream import BedrockDecoder

HELLO = frame("contentBlockDelta", {"delta": {"text": "Hello"}, "contentBlockIndex": 0})
DONE = frame("messageStop", {"stopReason": "end_turn"})


def answer(*chunks: bytes) -> Response:
    """Return the response that bytes make, once its events have passed the grammar."""
    events = replay("bedrock", chunks)
    check_grammar(events)
    return collect(events)


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("throttlingException", "rate_limit_exceeded", "rate_limit_error"),
        ("validationException", "upstream_rejected", "invalid_request_error"),
        ("internalServerException", "upstream_unavailable", "upstream_unavailable"),
        ("serviceUnavailableException", "upstream_unavailable", "upstream_unavailable"),
        ("modelStreamErrorException", "upstream_error", "upstream_error"),
        ("newException", "upstream_error", "upstream_error"),
    ],
)
def test_exceptions(name: str, code: str, kind: str) -> None:
    """An exception in the stream fails the response with a code of ours."""
    events = replay("bedrock", [HELLO, frame(name, {"message": "Because."}, kind="exception")])
    failure = next(event.error for event in events if isinstance(event, ErrorEvent))
    assert (failure.code, failure.type, failure.message) == (code, kind, "The upstream broke off: Because.")


def test_too_long() -> None:
    """A prompt that is too long says so, though only in words."""
    failed = answer(frame("validationException", {"message": "Input is too long."}, kind="exception")).error
    assert failed is not None
    assert failed.code == "context_length_exceeded"


def test_original_message() -> None:
    """What the model itself said of its failure is shown."""
    payload = {"message": "Error.", "originalMessage": "Out of memory.", "originalStatusCode": 500}
    assert told(answer(frame("modelStreamErrorException", payload, kind="exception"))).why == (
        "The upstream broke off: Out of memory."
    )


@pytest.mark.parametrize("spoiled", [3, 9, 20, -20, -1])
def test_spoiled_frame(spoiled: int) -> None:
    """A frame with a bit turned over, in its lengths, sums, headers or payload, fails the response."""
    broken = bytearray(HELLO)
    broken[spoiled] ^= 1
    failed = answer(HELLO, bytes(broken), HELLO)
    assert failed.error is not None
    assert (failed.output_text, failed.error.code) == ("Hello", "upstream_garbled")


@pytest.mark.parametrize("sent", [b"<html>Not the API you look for</html>", b'{"message": "no frames here"}'])
def test_no_frames(sent: bytes) -> None:
    """What isn't frames at all fails the response."""
    failed = answer(sent)
    assert failed.error is not None
    assert failed.error.code == "upstream_garbled"


@pytest.mark.parametrize("payload", [[], {"delta": 1}, {"delta": {"reasoningContent": {"redactedContent": "A"}}}])
def test_spoiled_payload(payload: object) -> None:
    """A payload of another shape fails the response."""
    failed = answer(frame("contentBlockDelta", payload))
    assert failed.error is not None
    assert failed.error.code == "upstream_garbled"


def test_unknown_events() -> None:
    """Events and fields that are new are passed over."""
    news = frame("somethingNew", {"delta": {"text": "not this"}}), frame("messageStart", {"role": "assistant", "x": 1})
    assert told(answer(*news, HELLO, DONE)).text == "Hello"


def test_error_message() -> None:
    """An error without a payload has its words in its headers."""
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "No."}
    assert told(answer(raw_frame(headers, b""))).why == "The upstream broke off: No."


def test_seals() -> None:
    """Each thought is an item, sealed with its signature or the whole of its redacted content, by its maker."""
    pieces = [
        (0, {"text": "So."}),
        (0, {"signature": "c2ln"}),
        (0, {"signature": "bmVk"}),
        (1, {"redactedContent": base64.b64encode(b"\0he").decode()}),
        (1, {"redactedContent": base64.b64encode(b"llo").decode()}),
        (2, {"text": "Unsigned."}),
    ]
    builder = EventBuilder(draft(CreateResponse(), model="us.anthropic.claude-sonnet-4-5-v1:0"))
    decoder = BedrockDecoder(builder)
    for index in range(3):
        for piece in (each for at, each in pieces if at == index):
            delta = {"reasoningContent": piece}
            decoder.feed(frame("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}))
        decoder.feed(frame("contentBlockStop", {"contentBlockIndex": index}))
    thoughts = [(item.text, item.encrypted_content or None) for item in builder.output if isinstance(item, Reasoning)]
    redacted = base64.b64encode(b"\0hello").decode()
    assert thoughts == [
        ("So.", "bedrock:anthropic:signature:c2lnbmVk"),
        ("", f"bedrock:anthropic:redacted:{redacted}"),
        ("Unsigned.", None),
    ]


def test_citation() -> None:
    """A page that the model read is cited; its search isn't a call to answer."""
    message = answer(recorded("bedrock/nova_grounded.jsonl")).output[0]
    assert isinstance(message, Message)
    part = message.content[0]
    assert isinstance(part, OutputText)
    assert part.annotations == (UrlCitation(url="https://example.org/seoul", title="", start_index=0, end_index=0),)
