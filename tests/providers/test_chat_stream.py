"""What the chunks of Chat Completions mean, one oddity at a time."""

from __future__ import annotations

import pytest
from tests.grammar import check_grammar
from tests.providers.replay import chat, frames, replay, told

from agentbench.protocol import Event, Response, collect
from agentbench.protocol import events as ev
from agentbench.protocol.content import LogProb, OutputText, TopLogProb, UrlCitation
from agentbench.protocol.items import Message, Reasoning

USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


def stream(*chunks: object, end: bytes = b"") -> list[Event]:
    """Return the events of chunks that come in one read."""
    events = replay("openai_chat", [frames(*chunks, end=end)])
    check_grammar(events)
    return events


def text(words: str, **more: object) -> dict[str, object]:
    """Return a chunk with text."""
    return {"choices": [{"index": 0, "delta": {"content": words}}]} | more


def finish(reason: str | None, **more: object) -> dict[str, object]:
    """Return a chunk with a finish reason."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]} | more


def part(answer: Response) -> OutputText:
    """Return the one part of the one message."""
    (message,) = answer.output
    assert isinstance(message, Message)
    (only,) = message.content
    assert isinstance(only, OutputText)
    return only


# -- what it says -----------------------------------------------------------------------------------------------------


def test_characters_split() -> None:
    """A character of several bytes may come in several reads."""
    whole = frames(text("한글 ☕"), finish("stop"))
    assert collect(replay("openai_chat", [bytes([byte]) for byte in whole])).output_text == "한글 ☕"


def test_each_delta_is_an_event() -> None:
    """Pieces that come in one read stay pieces."""
    events = stream(text("a"), text("b"), finish("stop"))
    assert [event.delta for event in events if isinstance(event, ev.TextDelta)] == ["a", "b"]


def test_other_choices() -> None:
    """Of several choices the first counts."""
    other = {"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "length"}]}
    assert told(collect(stream(text("first"), other, finish("stop"))))[:2] == ("completed", "first")


@pytest.mark.parametrize("chunk", [{}, {"choices": None}, {"choices": [{}]}, {"choices": [{"delta": None}]}])
def test_chunk_without_news(chunk: dict[str, object]) -> None:
    """Chunks that only say something else, or nothing, are passed over."""
    assert collect(stream(text("a"), chunk, text("b"), finish("stop"))).output_text == "ab"


def test_content_as_parts() -> None:
    """Content may be a list of parts, thoughts among them; parts of other kinds are left out."""
    parts = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Yes"}, {"type": "reference"}]
    assert told(chat({"content": parts}))[1:3] == ("Yes", "Hm")


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning(field: str) -> None:
    """Reasoning comes under two names, and is an item before the message."""
    answer = chat({field: "Hm. "}, {field: "So."}, {"content": "Yes.", field: None})
    assert [type(item) for item in answer.output] == [Reasoning, Message]
    assert told(answer)[1:3] == ("Yes.", "Hm. So.")


def test_reasoning_twice() -> None:
    """Reasoning under both names at once counts once."""
    assert told(chat({"reasoning": "Hm.", "reasoning_content": "Hm."})).thought == "Hm."


def test_refusal() -> None:
    """A refusal is a part of its own, not text."""
    answer = chat({"refusal": "I "}, {"refusal": "won't."})
    assert (told(answer).text, told(answer).refusal) == ("", "I won't.")


def test_logprobs() -> None:
    """Log probabilities go with their text; nulls and unknown keys in them do no harm."""
    top = {"token": "Ho", "logprob": -2, "bytes": None}
    raw = {"id": 7, "token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": [top]}
    chunk = {"choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": [raw], "refusal": None}}]}
    expected = LogProb(token="Hi", logprob=-0.5, bytes=(72, 105), top_logprobs=(TopLogProb(token="Ho", logprob=-2.0),))
    assert part(collect(stream(chunk, finish("stop")))).logprobs == (expected,)


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "url_citation", "url_citation": {"url": "https://example.org", "title": "T", "start_index": 1}},
        {"type": "url_citation", "url": "https://example.org", "title": "T", "start_index": 1, "end_index": None},
    ],
    ids=["nested", "flat"],
)
def test_annotations(raw: dict[str, object]) -> None:
    """Citations come nested or flat, and may leave out where they belong."""
    cited = part(chat({"content": "Yes."}, {"content": "", "annotations": [raw]}))
    assert cited.annotations == (UrlCitation(url="https://example.org", title="T", start_index=1, end_index=0),)


@pytest.mark.parametrize("raw", [{"type": "file", "file": {"name": "a"}}, {"url_citation": None}, {"url": 3}])
def test_unknown_annotations(raw: dict[str, object]) -> None:
    """Annotations of other kinds are passed over."""
    assert part(chat({"content": "Yes."}, {"annotations": [raw]})).annotations == ()


# -- how it ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("function_call", "completed", None),
        ("something_new", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("model_length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("abort", "incomplete", "interrupted"),
        ("error", "failed", "The upstream reports an error at the end of its answer."),
    ],
)
def test_finish_reason(reason: str, status: str, why: str | None) -> None:
    """The finish reason says how the response ends; an unknown one means that the model was done."""
    answer = told(chat({"content": "a"}, finish=reason))
    assert (answer.status, answer.text, answer.why) == (status, "a", why)


def test_done_without_finish_reason() -> None:
    """The stream's own end will do."""
    assert chat({"content": "a"}, finish=None).status == "completed"


@pytest.mark.parametrize("reason", [None, ""])
def test_neither_done_nor_finish_reason(reason: str | None) -> None:
    """A stream that just stops was dropped; an empty finish reason is none."""
    error = collect(stream(text("a"), finish(reason))).error
    assert (error and error.code) == "upstream_dropped"


def test_last_items_status() -> None:
    """What was open when tokens ran out is incomplete."""
    (message,) = chat({"content": "a"}, finish="length").output
    assert isinstance(message, Message)
    assert message.status == "incomplete"


def test_nothing_said() -> None:
    """An answer with nothing in it is an answer."""
    assert told(chat())[:2] == ("completed", "")


# -- usage ------------------------------------------------------------------------------------------------------------


def test_usage_in_a_last_chunk() -> None:
    """Usage may come after the finish reason, in a chunk without choices."""
    answer = collect(stream(text("a"), finish("stop"), {"choices": [], "usage": USAGE}, end=b"data: [DONE]\n\n"))
    assert told(answer).usage == (10, 4, 0, 0)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}])
def test_usage_missing(usage: object) -> None:
    """Tokens that weren't told are unknown, not 0."""
    assert collect(stream(text("a"), finish("stop", usage=usage))).usage is None


def test_usage_repeated() -> None:
    """Usage that grows with each chunk counts once, at its last."""
    growing = [text("a", usage=USAGE | {"completion_tokens": n}) for n in (1, 2, 3)]
    assert told(collect(stream(*growing, finish("stop", usage=None)))).usage == (10, 3, 0, 0)


def test_usage_details() -> None:
    """Cached, written and reasoning tokens are told apart, null or not."""
    usage = USAGE | {
        "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 2, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": None},
    }
    told_usage = collect(stream(finish("stop", usage=usage))).usage
    assert told_usage is not None
    details = told_usage.input_tokens_details
    assert (details.cached_tokens, details.cache_write_tokens) == (6, 2)


def test_usage_of_a_failure() -> None:
    """Tokens that were told before a failure are counted."""
    answer = collect(stream(text("a", usage=USAGE), {"error": {"message": "Boom"}}))
    assert (answer.status, told(answer).usage) == ("failed", (10, 4, 0, 0))


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "Boom", "code": 500}, "The upstream broke off: Boom"),
        ({"type": "overloaded"}, "The upstream broke off: overloaded"),
        ({"code": 1}, "The upstream broke off: no reason given"),
        ("Boom", "The upstream broke off: Boom"),
        ({"message": "Bad key sk-abcdef123456"}, "The upstream broke off: Bad key sk-****"),
    ],
)
def test_error_frame(error: object, message: str) -> None:
    """An error frame becomes an error event, then the end; what comes after it counts no more."""
    events = stream(text("a"), {"error": error}, text("b"), finish("stop"), end=b"data: [DONE]\n\n")
    *_, told_error, terminal = events
    assert isinstance(told_error, ev.ErrorEvent)
    assert isinstance(terminal, ev.ResponseFailed)
    assert (told_error.error.message, terminal.response.output_text) == (message, "a")


@pytest.mark.parametrize(
    "piece",
    [
        b"data: {oops}\n\n",
        b"data: 3\n\n",
        b'data: {"choices": "x"}\n\n',
        b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n',
    ],
)
def test_broken_piece(piece: bytes) -> None:
    """A piece that isn't JSON, or isn't a chunk, ends the response; what was said stays."""
    events = replay("openai_chat", [frames(text("a"), end=piece), frames(finish("stop"))])
    check_grammar(events)
    answer = collect(events)
    assert answer.error is not None
    assert (answer.error.code, answer.output_text) == ("upstream_garbled", "a")


def test_broken_piece_shows_no_content() -> None:
    """The message about a broken piece says where, and repeats nothing of it."""
    answer = collect(replay("openai_chat", [b'data: {"choices": [{"delta": {"content": 17253}}]}\n\n']))
    assert answer.error is not None
    assert "17253" not in answer.error.message
