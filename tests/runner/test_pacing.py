"""Pacing: how large pieces are, when they are shown, and what never waits."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.grammar import check_grammar
from tests.protocol.streams import LOGPROB
from tests.runner.fakes import text_of

from agentbench.protocol import CreateResponse, Event, EventBuilder, draft
from agentbench.protocol import events as ev
from agentbench.runner.pacing import Pieces, paced, piece_end, piece_size

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

FOR_EVER = 60_000.0
"""A rate, in milliseconds, at which a test would time out if anything but text waited."""

DELTAS = (ev.TextDelta, ev.RefusalDelta, ev.ReasoningDelta, ev.SummaryDelta)


@pytest.fixture
def builder() -> EventBuilder:
    """Give a builder of a response."""
    return EventBuilder(draft(CreateResponse(), model="m"))


def shown(pieces: Pieces, now: float) -> list[str]:
    """Return the text that is to be shown by now, piece by piece."""
    return [event.delta for event in pieces.take(now) if isinstance(event, DELTAS)]


# -- how large a piece is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "rate", "size"), [(10, 25, 4), (100, 25, 10), (1000, 25, 100), (8192, 25, 820), (1000, 250, 1000)]
)
def test_sizes(waiting: int, rate: float, size: int) -> None:
    """All that waits is shown within 250 ms, four characters at a time at least."""
    assert piece_size(waiting, rate) == size


@pytest.mark.parametrize(
    ("text", "size", "piece"),
    [
        ("Hello there.", 4, "Hello "),
        ("Well, then.", 4, "Well,"),
        ("unfinished", 4, "unfinished"),
        ("x" * 100, 4, "x" * 28),
        ("안녕하세요", 4, "안녕하세"),
        ("今天天气很好。", 4, "今天天气"),
        ("abc👩\u200d👧\u200d👦!", 4, "abc👩\u200d👧\u200d👦"),
        ("cafe\u0301s are", 4, "cafe\u0301s "),
        ("かきくか\u3099き", 4, "かきくか\u3099"),
        ("ab", 4, "ab"),
    ],
)
def test_where_a_piece_ends(text: str, size: int, piece: str) -> None:
    """Words stay whole, but for very long ones; Korean and Chinese are cut anywhere, characters nowhere."""
    assert text[: piece_end(text, size)] == piece


# -- when it is shown -----------------------------------------------------------------------------------------------


def test_the_first_text(builder: EventBuilder) -> None:
    """It is shown at once; what comes right after it waits."""
    pieces = Pieces(25)
    pieces.put(builder.text("one "), now=1000)
    assert shown(pieces, 1000) == ["one "]
    pieces.put(builder.text("two "), now=1001)
    assert (shown(pieces, 1001), pieces.wait(1001)) == ([], 24)
    assert shown(pieces, 1025) == ["two "]


def test_text_after_a_silence(builder: EventBuilder) -> None:
    """It is shown at once, too, and no more of it than of the first."""
    pieces = Pieces(25)
    pieces.put(builder.text("one "), now=0)
    assert shown(pieces, 0) == ["one "]
    pieces.put(builder.text("二" * 10), now=9000)
    assert shown(pieces, 9000) == ["二" * 4]


@pytest.mark.parametrize("rate", [2, 25, 40, 100, 249, 1000])
@pytest.mark.parametrize("waiting", [1, 100, 8192])
def test_a_backlog(builder: EventBuilder, rate: float, waiting: int) -> None:
    """It is shown in even pieces, and all of it within 250 ms."""
    pieces, sizes, now = Pieces(rate), [], 0.0
    pieces.put(builder.text("字" * waiting), now)
    while (pause := pieces.wait(now)) < math.inf:
        now += pause
        sizes.append(len("".join(shown(pieces, now))))
    assert now <= 250
    assert sum(sizes) == waiting
    assert set(sizes[:-1]) <= {piece_size(waiting, rate)}


def test_a_trickle_behind_a_backlog(builder: EventBuilder) -> None:
    """It doesn't slow the backlog down; once all is shown, pieces are small again."""
    pieces = Pieces(25)
    pieces.put(builder.text("字" * 1000), now=0)
    sizes = [len("".join(shown(pieces, 0)))]
    for now in range(25, 325, 25):
        pieces.put(builder.text("字"), now)
        sizes.append(len("".join(shown(pieces, now))))
    assert sizes == [100] * 10 + [10, 1, 1]
    pieces.put(builder.text("字" * 9), now=325)
    assert shown(pieces, 325) == ["字" * 4]


def test_a_reader_that_comes_late(builder: EventBuilder) -> None:
    """It gets what it has missed in one piece."""
    pieces = Pieces(25)
    pieces.put(builder.text("字" * 1000), now=0)
    assert [len("".join(shown(pieces, now))) for now in (0, 110, 120, 125)] == [100, 400, 0, 100]


def test_more_text_than_may_wait(builder: EventBuilder) -> None:
    """An upstream that is faster than anyone reads is not held up: all of it is shown."""
    pieces = Pieces(25)
    pieces.put(builder.text("字" * 9000), now=0)
    assert [len(text) for text in shown(pieces, 0)] == [9000]


# -- what it never holds up -----------------------------------------------------------------------------------------


def test_what_is_not_text(builder: EventBuilder) -> None:
    """It comes at once, and before it the text that it follows; the numbers have no gaps."""
    pieces = Pieces(FOR_EVER)
    pieces.put(builder.start() + builder.text("one "), now=0)
    pieces.take(0)
    pieces.put(builder.text("two ") + builder.text("three"), now=1)
    assert pieces.take(1) == []
    pieces.put(builder.call(0, name="look"), now=2)
    out = pieces.take(2)
    assert [type(event) for event in out[:2]] == [ev.TextDelta, ev.TextDone]
    assert out[0].delta == "two three"
    assert [event.sequence_number for event in out] == list(range(5, 5 + len(out)))


def test_reasoning_and_its_summary(builder: EventBuilder) -> None:
    """They are kept apart, also where one follows the other with nothing between."""
    pieces = Pieces(FOR_EVER)
    pieces.put(builder.reasoning("a") + builder.reasoning_summary("b"), now=0)
    pieces.take(0)
    pieces.put(builder.reasoning("c") + builder.reasoning_summary("d") + builder.reasoning("e"), now=1)
    assert [type(event) for event in pieces.take(1)] == [ev.ReasoningDelta, ev.SummaryDelta]


def test_probabilities(builder: EventBuilder) -> None:
    """Text that has some is one event as before: they belong to its tokens."""
    pieces = Pieces(FOR_EVER)
    pieces.put(builder.text("字" * 50), now=0)
    pieces.take(0)
    pieces.put(builder.text("Seoul", logprobs=(LOGPROB,)), now=1)
    assert [(event.delta, event.logprobs) for event in pieces.take(1)] == [("Seoul", (LOGPROB,))]


NEWS = st.one_of(
    st.tuples(
        st.sampled_from(["text", "text", "refusal", "reasoning", "reasoning_summary"]), st.text("ab 字.", max_size=60)
    ),
    st.tuples(st.just("call"), st.text(max_size=3)),
)
SCRIPT = st.lists(st.tuples(NEWS, st.integers(0, 40)), max_size=40)


def played(script: list[tuple[tuple[str, str], int]]) -> list[tuple[list[Event], float]]:
    """Return the batches that a script causes, and when."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    batches, now = [(builder.start(), 0.0)], 0.0
    for (method, text), pause in script:
        now += pause
        told = builder.call(text, name="f", arguments=text) if method == "call" else getattr(builder, method)(text)
        batches.append((told, now))
    builder.stop()
    return [*batches, (builder.finish(), now + 1)]


def watched(batches: list[tuple[list[Event], float]], rate: float) -> list[tuple[Event, float]]:
    """Return what a reader sees that is always there, and when."""
    pieces, seen = Pieces(rate), []
    ends = [now for _, now in batches[1:]] + [batches[-1][1]]
    for (batch, came), end in zip(batches, ends, strict=True):
        pieces.put(batch, came)
        now = came
        while now <= end:
            seen += [(event, now) for event in pieces.take(now)]
            now += max(pieces.wait(now), 0.001)
    return seen


def text_times(events: list[tuple[Event, float]]) -> list[float]:
    """Return each character's time."""
    return [now for event, now in events if isinstance(event, DELTAS) for _ in event.delta]


def others(events: list[tuple[Event, float]]) -> list[tuple[type[Event], float]]:
    """Return what is not text."""
    return [(type(event), now) for event, now in events if not isinstance(event, DELTAS)]


@settings(deadline=None)
@given(SCRIPT, st.sampled_from([2.0, 25.0, 100.0, 1000.0]))
def test_any_stream(script: list[tuple[tuple[str, str], int]], rate: float) -> None:
    """The same answer is told, by the grammar: all but text at once and in order, text within 250 ms and one tick."""
    batches = played(script)
    sent = [(event, now) for batch, now in batches for event in batch]
    seen = watched(batches, rate)
    check_grammar([event for event, _ in seen])
    assert seen[-1][0].response == sent[-1][0].response
    assert others(seen) == others(sent)
    late = [shown - came for came, shown in zip(text_times(sent), text_times(seen), strict=True)]
    assert max(late, default=0) <= 250 + rate + 1


# -- a stream -------------------------------------------------------------------------------------------------------


async def sent(
    *batches: list[Event], log: list[int] | None = None, pause: float = 0, hangs: bool = False
) -> AsyncGenerator[list[Event]]:
    """Send batches, and note how many."""
    for number, batch in enumerate(batches):
        await anyio.sleep(pause)
        if log is not None:
            log.append(number)
        yield batch
    if hangs:
        await anyio.sleep_forever()


@pytest.mark.parametrize("rate", [0, 0.5, 1])
def test_no_pacing(rate: float) -> None:
    """As fast as it comes means that nothing stands between."""
    batches = sent()
    assert paced(batches, rate) is batches


@pytest.mark.anyio
async def test_in_real_time(builder: EventBuilder) -> None:
    """Text that came at once is shown little by little, within about 250 ms; what follows it ends the waiting."""
    upstream = sent(builder.start() + builder.text("word " * 200), [], pause=0.4)
    begun = time.monotonic() + 0.4
    times, texts = [], []
    async for batch in paced(upstream, 25):
        times.append(time.monotonic() - begun)
        texts.append(text_of(batch))
    assert "".join(texts) == "word " * 200
    assert 8 <= len(texts) <= 11
    assert times[0] < 0.15
    assert 0.15 < times[-1] < 0.39


@pytest.mark.anyio
async def test_an_error_at_the_end(builder: EventBuilder) -> None:
    """It is raised when all that came before it has been read."""

    async def broken() -> AsyncGenerator[list[Event]]:
        yield builder.start() + builder.text("one ")
        yield builder.text("two ")
        raise ZeroDivisionError

    stream = paced(broken(), FOR_EVER)
    texts = [text_of(await anext(stream)), text_of(await anext(stream))]
    with pytest.raises(ZeroDivisionError):
        await anext(stream)
    assert texts == ["one ", "two "]


@pytest.mark.anyio
async def test_a_slow_upstream(builder: EventBuilder) -> None:
    """A reader that waits for it is woken by its next word."""
    upstream = sent(builder.start() + builder.text("one "), builder.text("two "), pause=0.05, hangs=True)
    stream, texts = paced(upstream, 25), []
    with anyio.fail_after(5):
        while "".join(texts) != "one two ":
            texts.append(text_of(await anext(stream)))
    await stream.aclose()


@pytest.mark.anyio
async def test_reading_ahead_has_a_bound(builder: EventBuilder) -> None:
    """For a reader that doesn't read, no more is read than may wait."""
    log: list[int] = []
    first = builder.start() + builder.text("x")
    stream = paced(sent(first, *(builder.text("x" * 100) for _ in range(1000)), log=log), 25)
    await anext(stream)
    await anyio.sleep(0.1)
    assert len(log) in range(80, 90)
    await stream.aclose()
