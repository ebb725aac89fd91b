"""The ledger's row of a call: every column, what the tokens cost, and what is estimated."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from tests.runner.fakes import HANG, FakeProvider, catalog, drain, play, runner_of
from tests.runner.paid import PAID, tell

from agentbench.auth.principal import Principal
from agentbench.config import Endpoint
from agentbench.config.rates import Rates, Tier
from agentbench.errors import UpstreamRefused, UpstreamUnavailable
from agentbench.protocol import Usage
from agentbench.runner import Cell
from agentbench.storage import conversations, usage

if TYPE_CHECKING:
    from agentbench.config import Provider
    from agentbench.protocol import EventBuilder
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio

OPENAI = "https://api.openai.com/v1"
SPENT = Usage.of(1_000_000, 500_000, cached=400_000, cache_write=0, reasoning=7)


def spend(builder: EventBuilder) -> None:
    """Report what was used."""
    builder.usage(SPENT)


def cut(builder: EventBuilder) -> None:
    """End for want of tokens."""
    builder.cut("max_output_tokens")


async def row_of(database: Database) -> UsageRow:
    """Return the one row there is."""
    (row,) = await database.read(usage.rows)
    return row


async def test_every_column(database: Database) -> None:
    """Who asked from where, who answered, what it took."""
    conversation = await database.write(partial(conversations.create, user="ann"))
    before = datetime.now(UTC)
    run = play(
        runner_of(FakeProvider("one", spend), database),
        agent="bot",
        principal=Principal(user="ann", key="key1"),
        conversation=conversation.id,
        cell=Cell(id="cell1", run="run1", execution_count=5, notebook="work/one.ipynb"),
        context="title",
    )
    await drain(run)
    row = await row_of(database)
    assert before <= row.time <= datetime.now(UTC)
    assert (row.user, row.context, row.conversation_id) == ("ann", "title", conversation.id)
    assert (row.response_id, row.cell_id, row.execution_count) == (run.response.id, "cell1", 5)
    assert (row.key_id, row.notebook, row.step) == ("key1", "work/one.ipynb", 0)
    assert (row.agent, row.endpoint, row.model) == ("bot", "fake", "m")
    assert (row.input_tokens, row.cached_tokens, row.cache_write_tokens) == (1_000_000, 400_000, 0)
    assert (row.output_tokens, row.reasoning_tokens) == (500_000, 7)
    assert (row.cost, row.status, row.error_type) == (0.0, "completed", None)
    assert (row.rate_source, row.estimated, row.flags) == ("local", False, None)


async def test_times(database: Database) -> None:
    """The first token comes after the start and before the end."""
    pause = 0.05
    upstream = FakeProvider("one ", "two")
    runner = runner_of(upstream, database)
    batches = play(runner).events()
    async for _ in batches:
        await anyio.sleep(pause)
    row = await row_of(database)
    assert row.time_to_first_token is not None
    assert pause <= row.time_to_first_token <= row.duration - pause


@pytest.mark.parametrize(
    "chunk",
    [
        lambda builder: builder.reasoning("Hm."),
        lambda builder: builder.reasoning_summary("Hm."),
        lambda builder: builder.refusal("No."),
        lambda builder: builder.call(0, name="look", arguments="{}"),
    ],
)
async def test_a_first_token_of_any_kind(database: Database, chunk: object) -> None:
    """Reasoning, a refusal and a call's arguments are tokens too."""
    await drain(play(runner_of(FakeProvider(chunk), database)))
    assert (await row_of(database)).time_to_first_token is not None


async def test_no_token(database: Database) -> None:
    """An answer without any has no first one; what was asked is estimated all the same."""
    await drain(play(runner_of(FakeProvider(""), database)))
    row = await row_of(database)
    assert (row.time_to_first_token, row.output_tokens, row.estimated) == (None, 0, True)
    assert (row.input_tokens or 0) > 0


async def test_a_clock_that_jumps_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Durations come from a clock that never does."""
    monkeypatch.setattr("time.time", iter(range(10**9, 0, -1)).__next__)
    await drain(play(runner_of(FakeProvider(), database)))
    row = await row_of(database)
    assert 0 <= (row.time_to_first_token or 0) <= row.duration < 60


@pytest.mark.parametrize(
    ("provider", "base_url", "model", "expected"),
    [
        ("scripted", None, "m", 0.0),
        ("llama_cpp", None, "m", 0.0),
        ("openai_chat", OPENAI, "gpt-4o-mini", 0.6 * 0.15 + 0.4 * 0.075 + 0.5 * 0.6),
        ("openai_responses", OPENAI, "gpt-4o-mini", 0.6 * 0.15 + 0.4 * 0.075 + 0.5 * 0.6),
        ("openai_chat", OPENAI, "no-such-model", None),
        ("openai_chat", "http://127.0.0.1:9/v1", "gpt-4o-mini", None),
        ("openai_chat", "https://llm.example.org/v1", "gpt-4o-mini", None),
        ("openai_chat", None, "gpt-4o-mini", None),
    ],
)
async def test_cost(
    database: Database, provider: Provider, base_url: str | None, model: str, expected: float | None
) -> None:
    """0 in this process; a listed price, per million tokens and less for cached ones; else nobody knows."""
    endpoint = Endpoint(name="acme", provider=provider, base_url=base_url, models=(model,))
    await drain(play(runner_of(FakeProvider("one", spend), database, catalog(endpoint))))
    cost = (await row_of(database)).cost
    assert cost == (expected if expected is None else pytest.approx(expected))


async def test_the_rates_it_was_charged_at(database: Database) -> None:
    """A row keeps its rates, in its tier, and its cost both ways."""
    rates = Rates(input=Decimal(1), output=Decimal(5), tiers=(Tier(above=200_000, input=Decimal(2)),))
    endpoint = msgspec.structs.replace(PAID, rates={"m": rates})
    await drain(play(runner_of(FakeProvider("one", spend), database, catalog(endpoint))))
    row = await row_of(database)
    assert (row.input_rate, row.cached_rate, row.cache_write_rate, row.output_rate) == (2, 2, 2, 5)
    assert (row.rate_source, row.cost, row.credits) == ("config", 4.5, 4_500_000)


async def test_unknown_rates(database: Database) -> None:
    """Without rates there is no cost, and nothing to take for 0."""
    endpoint = msgspec.structs.replace(PAID, rates={})
    await drain(play(runner_of(FakeProvider("one", spend), database, catalog(endpoint))))
    row = await row_of(database)
    assert (row.cost, row.credits, row.rate_source, row.input_rate, row.output_rate) == (None,) * 5


async def test_a_refusal_upstream(database: Database) -> None:
    """A call that nobody answered has a row: it cost nothing, whatever the rates, and has no response."""
    error = UpstreamRefused("acme refused the key.", endpoint="acme")
    endpoint = msgspec.structs.replace(PAID, rates={})
    run = play(runner_of(FakeProvider(refusals=(error,)), database, catalog(endpoint)))
    with pytest.raises(UpstreamRefused):
        await drain(run)
    row = await row_of(database)
    assert (row.status, row.error_type, row.response_id) == ("failed", "upstream_refused", None)
    assert (row.input_tokens, row.output_tokens, row.cost, row.credits) == (0, 0, 0.0, 0.0)
    assert (row.time_to_first_token, row) == (None, run.row)


# -- estimates ------------------------------------------------------------------------------------------------------


async def test_no_usage(database: Database) -> None:
    """Both sides are estimated and paid for; the answer itself only says what was told."""
    run = play(runner_of(FakeProvider("x" * 400), database, catalog(PAID)))
    await drain(run)
    row = await row_of(database)
    assert (row.output_tokens, row.estimated, run.response.usage) == (100, True, None)
    assert row.cost == pytest.approx(((row.input_tokens or 0) * 2.5 + 100 * 10) / 1e6)


@pytest.mark.parametrize("end", [UpstreamUnavailable("The line is dead."), HANG])
async def test_an_answer_that_breaks_off(database: Database, end: object) -> None:
    """Failed or left by its reader, it is charged for what was produced, more than was told by then."""
    early = partial(tell, usage=Usage.of(30, 1))
    with anyio.move_on_after(0.1):
        await drain(play(runner_of(FakeProvider(early, "x" * 400, end), database, catalog(PAID))))
    row = await row_of(database)
    assert (row.input_tokens, row.output_tokens, row.estimated) == (30, 100, True)


async def test_a_model_here_knows_its_counts(database: Database) -> None:
    """What it told before it was stopped is what it took."""
    with anyio.move_on_after(0.1):
        await drain(play(runner_of(FakeProvider(partial(tell, usage=Usage.of(30, 7)), "x" * 400, HANG), database)))
    row = await row_of(database)
    assert (row.input_tokens, row.output_tokens, row.estimated) == (30, 7, False)


async def test_an_upstream_that_begins_and_says_nothing(database: Database) -> None:
    """It has read the question, which is charged for."""
    with anyio.move_on_after(0.1):
        await drain(play(runner_of(FakeProvider(HANG), database, catalog(PAID))))
    row = await row_of(database)
    assert (row.status, row.output_tokens, row.estimated) == ("incomplete", 0, True)
    assert (row.cost or 0) > 0


@pytest.mark.parametrize(
    ("usage", "expected", "flags"),
    [
        (Usage.of(-10, 20), (0, 20, False), "negative"),
        (Usage.of(10, 20, cached=15), (10, 20, False), "cached_over_input"),
        (Usage.of(10, 20, total=40), (10, 30, False), "total"),
        (Usage.of(2**60, 20), (None, 100, True), "absurd"),
        (Usage.of(0, 0), (None, 100, True), None),
    ],
)
async def test_odd_counts(
    database: Database, usage: Usage, expected: tuple[int | None, int, bool], flags: str | None
) -> None:
    """They break no answer, are kept sane and say so; what nobody can believe is estimated."""
    run = play(runner_of(FakeProvider("x" * 400, partial(tell, usage=usage)), database, catalog(PAID)))
    await drain(run)
    row = await row_of(database)
    assert (run.response.status, row.flags) == ("completed", flags)
    given = row.input_tokens if expected[0] is not None else None
    assert (given, row.output_tokens, row.estimated) == expected


# -- early ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (("one", spend, cut), ("incomplete", None)),
        (("one", spend, UpstreamRefused("Enough.")), ("failed", "upstream_refused")),
        (("one", spend, ValueError("a bug")), ("failed", "server_error")),
    ],
)
async def test_an_early_end(database: Database, chunks: tuple[object, ...], expected: tuple[str, str | None]) -> None:
    """Cut and failed answers say so, with the tokens that were told."""
    await drain(play(runner_of(FakeProvider(*chunks), database)))
    row = await row_of(database)
    assert (row.status, row.error_type) == expected
    assert row.output_tokens == 500_000


async def test_an_interrupt(database: Database) -> None:
    """An interrupted answer has the tokens that were told before."""
    with anyio.move_on_after(0.1):
        await drain(play(runner_of(FakeProvider("one", spend, HANG), database)))
    row = await row_of(database)
    assert (row.status, row.input_tokens) == ("incomplete", 1_000_000)
