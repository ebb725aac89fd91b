"""What holds for every recording of every provider, however its bytes arrive and wherever they stop."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.grammar import check_grammar
from tests.providers.replay import RECORDINGS, Told, recorded, replay, told

from agentbench.protocol import Response, collect
from agentbench.protocol.items import FunctionCall, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SEOUL, JEJU = ("get_weather", '{"city":"Seoul"}'), ("get_weather", '{"city":"Jeju"}')
SAID = (Message,)
THOUGHT_AND_SAID = (Reasoning, Message)
TWO_CALLS = (FunctionCall, FunctionCall)
ALL_FOUR = (Reasoning, Message, FunctionCall, FunctionCall)

CHAT = {
    "azure_filtered.sse": (
        SAID,
        Told(status="incomplete", text="Once there was", usage=(21, 5, 0, 0), why="content_filter"),
    ),
    "azure_text.sse": (SAID, Told(text="This is a test.", usage=(21, 5, 0, 0))),
    "deepseek_cache_hit.sse": (SAID, Told(text="Hello!", usage=(70, 2, 64, 0))),
    "deepseek_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(text="9.8 is greater.", thought="9.11 < 9.8?\n好", usage=(83, 21, 64, 14)),
    ),
    "gemini_parallel_calls.sse": (
        TWO_CALLS,
        Told(calls=(SEOUL, ("get_weather", '{"city":"제주"}')), usage=(66, 38, 0, 0)),
    ),
    "llama_cpp_json.sse": (SAID, Told(text='{\n  "city": "Santabar",\n  "people": 2\n}', usage=(34, 22, 24, 0))),
    "llama_cpp_korean.sse": (
        SAID,
        Told(status="incomplete", text="안녕하세요, 세상! 🌍🇰", usage=(10, 30, 9, 0), why="max_output_tokens"),
    ),
    "llama_cpp_length.sse": (
        SAID,
        Told(status="incomplete", text="L'Étoile, la Marseillaise,", usage=(37, 12, 36, 0), why="max_output_tokens"),
    ),
    "llama_cpp_logprobs.sse": (
        SAID,
        Told(status="incomplete", text="Hello there! I'm here", usage=(33, 6, 24, 0), why="max_output_tokens"),
    ),
    "llama_cpp_not_streamed.json": (
        SAID,
        Told(status="incomplete", text="Hello there. I'm here", usage=(12, 6, 1, 0), why="max_output_tokens"),
    ),
    "llama_cpp_parallel_calls.sse": (
        TWO_CALLS,
        Told(
            calls=(("get_weather", '{"city": "Sinergy"}'), ("get_weather", '{"city": "Bern"}')),
            usage=(573, 65, 174, 0),
        ),
    ),
    "llama_cpp_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(text="Hello andbye", thought="The user greets me.\n", usage=(12, 25, 1, 0)),
    ),
    "mistral_call.sse": ((FunctionCall,), Told(calls=(("get_weather", '{"city": "Paris"}'),), usage=(88, 22, 0, 0))),
    "mistral_thinking.sse": (
        THOUGHT_AND_SAID,
        Told(text="Bonjour à tous", thought="A greeting.", usage=(9, 24, 0, 0)),
    ),
    "ollama_calls.sse": (
        (Reasoning, FunctionCall, FunctionCall),
        Told(thought="Two cities.", calls=(SEOUL, JEJU), usage=(168, 61, 0, 0)),
    ),
    "openai_error.sse": (
        SAID,
        Told(
            status="failed",
            text="The first step",
            why="The upstream broke off: The server had an error while processing your request. Sorry about that!",
        ),
    ),
    "openai_parallel_calls.sse": (
        TWO_CALLS,
        Told(
            calls=(("get_weather", '{"city": "Seoul"}'), ("get_time", '{"zone": "Asia/Seoul"}')), usage=(84, 52, 0, 0)
        ),
    ),
    "openai_refusal.sse": (SAID, Told(refusal="I'm sorry, I can't help with that.", usage=(75, 12, 0, 0))),
    "openai_text.sse": (SAID, Told(text="A café in 서울: ☕️\nWelcome!", usage=(1290, 14, 1152, 0))),
    "openrouter_error.sse": (
        SAID,
        Told(status="failed", text="So far", why="The upstream broke off: Provider disconnected unexpectedly"),
    ),
    "openrouter_search.sse": (
        THOUGHT_AND_SAID,
        Told(text="Seoul has 9.4 million people.", thought="Search says so.", usage=(412, 31, 128, 6)),
    ),
    "vllm_error.sse": (
        SAID,
        Told(
            status="failed",
            text="Half",
            usage=(171, 1, 0, 0),
            why="The upstream broke off: EngineCore encountered an issue. See stack trace (above) for the root cause.",
        ),
    ),
    "vllm_reasoning_call.sse": (
        (Reasoning, Message, FunctionCall),
        Told(
            text="\n\n",
            thought="The user wants weather.\n",
            calls=(("get_weather", '{"city": "Seoul"}'),),
            usage=(171, 27, 0, 0),
        ),
    ),
}
RESPONSES = {
    "end_only.sse": (
        ALL_FOUR,
        Told(text="Two calls follow.", summary=("Ask twice.",), calls=(SEOUL, JEJU), usage=(40, 20, 0, 0)),
    ),
    "llama_cpp_not_streamed.json": (SAID, Told(text="Hello there. I'm here", usage=(12, 6, 11, 0))),
    "llama_cpp_parallel_calls.sse": (
        TWO_CALLS,
        Told(
            calls=(("get_weather", '{"city": "Sinergy"}'), ("get_weather", '{"city": "Bern"}')),
            usage=(573, 65, 572, 0),
        ),
    ),
    "llama_cpp_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(text="Hello theres", thought="The user greets me.\n", usage=(10, 26, 3, 0)),
    ),
    "llama_cpp_text.sse": (SAID, Told(text="L'Étoile, la Marseillaise,", usage=(37, 12, 24, 0))),
    "openai_citations.sse": (SAID, Told(text="Seoul has 9.4 million people.", usage=(318, 44, 0, 0))),
    "openai_error.sse": (
        SAID,
        Told(status="failed", text="The", why="The upstream broke off: Rate limit reached for gpt-5-mini."),
    ),
    "openai_failed.sse": (
        SAID,
        Told(
            status="failed",
            text="The first",
            why="The upstream broke off: The model produced an invalid response.",
        ),
    ),
    "openai_incomplete.sse": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(14, 16, 0, 0), why="max_output_tokens"),
    ),
    "openai_not_streamed.json": (THOUGHT_AND_SAID, Told(text="Not streamed.", usage=(12, 30, 0, 20))),
    "openai_parallel_calls.sse": (
        (Reasoning, FunctionCall, FunctionCall),
        Told(calls=(SEOUL, ("now", "{}")), usage=(92, 118, 64, 64)),
    ),
    "openai_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(
            text="9.8 is greater — 맞아요.",
            summary=("**Comparing decimals**\n\n9.8 is 9.80.", "**Answering**\n\nSay so."),
            usage=(24, 212, 0, 192),
        ),
    ),
    "openai_refusal.sse": (SAID, Told(refusal="I can't help with that.", usage=(31, 9, 0, 0))),
    "unsteady_ids.sse": (
        (Message, FunctionCall, FunctionCall),
        Told(text="Both now.", calls=(SEOUL, ("now", "{}")), usage=(50, 25, 0, 0)),
    ),
    "whole_items.sse": (
        ALL_FOUR,
        Told(text="Two calls follow.", summary=("Ask twice.",), calls=(SEOUL, JEJU), usage=(40, 20, 0, 0)),
    ),
}
EXPECTED = {
    f"{provider}/{name}": expected
    for provider, table in (("openai_chat", CHAT), ("openai_responses", RESPONSES))
    for name, expected in table.items()
}

every_recording = pytest.mark.parametrize("name", EXPECTED)


def response(name: str, chunks: Iterable[bytes]) -> Response:
    """Return the response that the pieces make, once their events have passed the grammar."""
    events = replay(name.partition("/")[0], chunks)
    check_grammar(events)
    return collect(events)


def without_ids(answer: Response) -> Response:
    """Return a response as it would be at any time, with any random ids."""
    output = tuple(msgspec.structs.replace(item, id="") for item in answer.output)
    return msgspec.structs.replace(answer, created_at=0, output=output)


def in_random_pieces(data: bytes, seed: int) -> list[bytes]:
    """Cut bytes into pieces of 1 to 40."""
    sizes = random.Random(seed)  # noqa: S311 - the same pieces in every run
    pieces = []
    while data:
        size = sizes.randint(1, 40)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def test_every_recording_is_expected() -> None:
    """The table has a row for each file."""
    files = {f"{path.parent.name}/{path.name}" for path in RECORDINGS.glob("*/*.*")}
    assert set(EXPECTED) == files


@every_recording
def test_whole(name: str) -> None:
    """A recording read at once tells what the table says, in that order of items."""
    answer = response(name, [recorded(name)])
    assert (tuple(type(item) for item in answer.output), told(answer)) == EXPECTED[name]


@every_recording
def test_byte_by_byte(name: str) -> None:
    """One byte a read makes no difference, though it splits every frame, line end and character."""
    data = recorded(name)
    whole = without_ids(response(name, [data]))
    assert without_ids(response(name, (bytes([byte]) for byte in data))) == whole


@every_recording
def test_random_pieces(name: str) -> None:
    """Reads of random sizes make no difference."""
    data = recorded(name)
    whole = without_ids(response(name, [data]))
    assert [without_ids(response(name, in_random_pieces(data, seed))) for seed in range(5)] == [whole] * 5


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.replace(b"\n\n", b"\n\n: a comment\n\n"),
        lambda data: data.replace(b"data: ", b": a comment\nid: 1\nretry: 10\ndata:"),
        lambda data: b"\xef\xbb\xbf" + data,
    ],
    ids=["CRLF", "CR", "comments", "other fields", "byte order mark"],
)
@every_recording
def test_other_frames(name: str, change: Callable[[bytes], bytes]) -> None:
    """Line ends, comments, other fields and a byte order mark make no difference, in pieces as well."""
    whole = without_ids(response(name, [recorded(name)]))
    changed = change(recorded(name))
    assert changed != recorded(name)
    assert without_ids(response(name, in_random_pieces(changed, seed=1))) == whole


@every_recording
def test_cut_off(name: str) -> None:
    """A connection dropped at any byte fails the response, or ends it as it was to end if that was said before."""
    data = recorded(name)
    whole = told(response(name, [data]))
    cuts = [told(response(name, [data[:end]])) for end in range(0, len(data), 7)]
    statuses = [cut.status for cut in cuts]
    ended = statuses.index(whole.status) if whole.status in statuses else len(cuts)
    assert statuses == ["failed"] * ended + [whole.status] * (len(cuts) - ended)
    assert all(whole.text.startswith(cut.text) for cut in cuts)
    assert all(cut.why == "The upstream closed the stream before the answer was complete." for cut in cuts[:ended])
