"""What becomes of the chunks of the Gemini API, beyond what the recordings show."""

from __future__ import annotations

from typing import Any

import pytest
from tests.grammar import check_grammar
from tests.providers.replay import frames, recorded, replay, tokens, told

from agentbench.protocol import Response, collect
from agentbench.protocol.content import LogProb, OutputText, TopLogProb, UrlCitation
from agentbench.protocol.items import Message, Reasoning

SIGNED = {"thoughtSignature": "U0lH"}
LOOK = {"functionCall": {"name": "look", "args": {}}}


def chunk(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    """Return a chunk whose candidate has these parts."""
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0, **candidate}]}


def response(*chunks: object, finish: str | None = "STOP") -> Response:
    """Return the response that chunks make, once their events have passed the grammar."""
    end = [] if finish is None else [{"candidates": [{"finishReason": finish, "index": 0}]}]
    events = replay("google", [frames(*chunks, *end)])
    check_grammar(events)
    return collect(events)


def seals(answer: Response) -> list[tuple[type, str | None]]:
    """Return the kinds of items, and the seals of those that have one."""
    return [(type(item), getattr(item, "encrypted_content", None) or None) for item in answer.output]


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("STOP", "completed", None),
        ("MAX_TOKENS", "incomplete", "max_output_tokens"),
        ("SAFETY", "incomplete", "content_filter"),
        ("RECITATION", "incomplete", "content_filter"),
        ("LANGUAGE", "incomplete", "content_filter"),
        ("BLOCKLIST", "incomplete", "content_filter"),
        ("PROHIBITED_CONTENT", "incomplete", "content_filter"),
        ("SPII", "incomplete", "content_filter"),
        ("IMAGE_SAFETY", "incomplete", "content_filter"),
        ("OTHER", "failed", "The upstream broke off: OTHER."),
        ("UNHEARD_OF", "failed", "The upstream broke off: UNHEARD_OF."),
        (
            "UNEXPECTED_TOOL_CALL",
            "failed",
            "The upstream broke off: the model called a function that it wasn't offered. Try again.",
        ),
        (
            "FINISH_REASON_UNSPECIFIED",
            "failed",
            "The upstream closed the stream before the answer was complete.",
        ),
    ],
)
def test_finish_reasons(reason: str, status: str, why: str | None) -> None:
    """Each finish reason ends the response in one of three ways; a reason that is no reason ends nothing."""
    answer = told(response(chunk({"text": "So far"}), finish=reason))
    assert (answer.status, answer.text, answer.why) == (status, "So far", why)


def test_finish_message() -> None:
    """What the API says of its reason is told."""
    answer = response({"candidates": [{"finishReason": "OTHER", "finishMessage": "Bad luck."}]}, finish=None)
    assert told(answer).why == "The upstream broke off: OTHER. Bad luck."


def test_signature_of_a_call() -> None:
    """A call's signature is sealed in the reasoning before it."""
    answer = response(chunk({"text": "Hm.", "thought": True}), chunk(LOOK | SIGNED), chunk(LOOK))
    assert seals(answer)[0] == (Reasoning, "google:call:U0lH")
    assert len(answer.output) == 3


def test_signature_of_a_text() -> None:
    """A text's signature is sealed in a reasoning item after it, though more text follows first."""
    answer = response(chunk({"text": "Now "} | SIGNED), chunk({"text": "look."}), chunk(LOOK | SIGNED))
    assert seals(answer)[:3] == [
        (Message, None),
        (Reasoning, "google:text:U0lH"),
        (Reasoning, "google:call:U0lH"),
    ]


def test_calls() -> None:
    """Calls keep their ids, but for one that comes twice; those without get one each."""
    ids = [{"id": "a"}, {"id": "a"}, {}, {}]
    calls = [{"functionCall": {"name": "look", "args": {"at": number}} | each} for number, each in enumerate(ids)]
    answer = response(chunk(*calls))
    made = [call.call_id for call in answer.function_calls]
    assert [call.arguments for call in answer.function_calls] == [f'{{"at":{number}}}' for number in range(4)]
    assert (made[0], len(set(made))) == ("a", 4)


def test_nameless_call() -> None:
    """A call without a name is no call."""
    assert told(response(chunk({"functionCall": {"args": {}}}))).why == (
        "The upstream sent a function call without a name."
    )


def test_other_candidates() -> None:
    """Only the first candidate is listened to."""
    other = {"candidates": [{"content": {"parts": [{"text": "No."}]}, "index": 1, "finishReason": "SAFETY"}]}
    assert told(response(other, chunk({"text": "Yes."}))).text == "Yes."


def test_other_parts() -> None:
    """Parts of other kinds are passed over."""
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    assert told(response(chunk(code, {"text": "One."}))).text == "One."


def test_usage_without_a_prompt() -> None:
    """A later note of usage that doesn't count doesn't replace one that does."""
    counts = {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}}
    answer = response(chunk({"text": "Hi"}) | counts, {"usageMetadata": {"trafficType": "ON_DEMAND"}})
    assert answer.usage is not None
    assert tokens(answer.usage) == (3, 2, 0, 0)


def test_citations() -> None:
    """Sources cite the text by characters, where the wire counts bytes; unknown ones are left out."""
    events = replay("google", [recorded("google/search.sse")])
    message = collect(events).output[0]
    assert isinstance(message, Message)
    part = message.content[0]
    assert isinstance(part, OutputText)
    first, second = "서울 인구는 940만 명.", "면적은 605 km²."
    assert [(part.text[each.start_index : each.end_index], each.title) for each in part.annotations] == [
        (first, "seoul.go.kr"),
        (first, "wikipedia.org"),
        (second, "wikipedia.org"),
    ]


def test_citations_that_come_again() -> None:
    """A citation is told once, and none without a text."""
    grounding = {
        "groundingChunks": [{"retrievedContext": {"uri": "https://acme.example", "title": "Acme"}}],
        "groundingSupports": [{"segment": {"endIndex": 2}, "groundingChunkIndices": [0]}],
    }
    cited = chunk({"text": "Hi"}, groundingMetadata=grounding)
    answer = response(chunk(groundingMetadata=grounding), cited, chunk(groundingMetadata=grounding))
    expected = UrlCitation(url="https://acme.example", title="Acme", start_index=0, end_index=2)
    message = answer.output[0]
    assert isinstance(message, Message)
    assert message.content == (OutputText(text="Hi", annotations=(expected,)),)


def test_log_probabilities() -> None:
    """Tokens come with their log probabilities, and the likeliest others where they were asked for."""
    result = {
        "chosenCandidates": [{"token": "Hi", "tokenId": 1, "logProbability": -0.5}, {"token": "!"}],
        "topCandidates": [{"candidates": [{"token": "Hey", "logProbability": -1.5}]}],
    }
    message = response(chunk({"text": "Hi!"}, logprobsResult=result)).output[0]
    assert isinstance(message, Message)
    part = message.content[0]
    assert isinstance(part, OutputText)
    assert part.logprobs == (
        LogProb(token="Hi", logprob=-0.5, top_logprobs=(TopLogProb(token="Hey", logprob=-1.5),)),
        LogProb(token="!", logprob=0.0),
    )


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ({"code": 500, "message": "Oops.", "status": "INTERNAL"}, "Oops."),
        ({"code": 500, "status": "INTERNAL"}, "INTERNAL"),
        ({"code": 500}, "no reason given"),
        ("Oops.", "Oops."),
    ],
)
def test_errors(error: object, why: str) -> None:
    """An error ends the response, in whichever shape, and nothing after it counts."""
    answer = response([{"error": error}], chunk({"text": "More."}))
    assert told(answer)[:2] == ("failed", "")
    assert told(answer).why == f"The upstream broke off: {why}"


@pytest.mark.parametrize("piece", [b"data: {]\n\n", b"data: 12\n\n", b'data: {"candidates": 1}\n\n'])
def test_broken_piece(piece: bytes) -> None:
    """What isn't the API's fails the response."""
    answer = collect(replay("google", [piece]))
    assert told(answer).status == "failed"
    assert str(told(answer).why).startswith("The upstream sent a broken piece: ")


def test_unframed_error_in_a_list() -> None:
    """A bare error is heard within a list as well."""
    assert told(collect(replay("google", [b'[{"error": {"message": "Oops."}}\n]\n']))).why == (
        "The upstream broke off: Oops."
    )
