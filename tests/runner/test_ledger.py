"""The ledger's row of a turn: every column, and what the tokens cost."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.runner.fakes import HANG, FakeProvider, catalog, drain, play, question, runner_of

from agentbench.auth.principal import Principal
from agentbench.config import Endpoint
from agentbench.errors import UpstreamRefused
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
        principal=Principal(user="ann"),
        conversation=conversation.id,
        cell=Cell(id="cell1", run="run1", execution_count=5),
        context="title",
    )
    await drain(run)
    row = await row_of(database)
    assert before <= row.time <= datetime.now(UTC)
    assert (row.user, row.context, row.conversation_id) == ("ann", "title", conversation.id)
    assert (row.response_id, row.cell_id, row.execution_count) == (run.response.id, "cell1", 5)
    assert (row.agent, row.endpoint, row.model) == ("bot", "fake", "m")
    assert (row.input_tokens, row.cached_tokens, row.cache_write_tokens) == (1_000_000, 400_000, 0)
    assert (row.output_tokens, row.reasoning_tokens) == (500_000, 7)
    assert (row.cost, row.status, row.error_type) == (0.0, "completed", None)


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
    """An answer without any has no first one; counts that nobody told are null, not 0."""
    await drain(play(runner_of(FakeProvider(""), database)))
    row = await row_of(database)
    assert (row.time_to_first_token, row.input_tokens, row.output_tokens, row.cached_tokens) == (None,) * 4


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


async def test_cost_without_tokens(database: Database) -> None:
    """What an upstream doesn't tell the tokens of has no price."""
    endpoint = Endpoint(name="acme", provider="openai_chat", base_url=OPENAI, models=("gpt-4o-mini",))
    await drain(play(runner_of(FakeProvider("one"), database, catalog(endpoint))))
    assert (await row_of(database)).cost is None


async def test_a_refusal_upstream(database: Database) -> None:
    """A call that nobody answered has a row, with no tokens and no response."""
    error = UpstreamRefused("acme refused the key.", endpoint="acme")
    run = play(runner_of(FakeProvider(refusals=(error,)), database), question(model="fake/n"))
    with pytest.raises(UpstreamRefused):
        await drain(run)
    row = await row_of(database)
    assert (row.model, row.status, row.error_type, row.response_id) == ("n", "failed", "upstream_refused", None)
    assert (row.input_tokens, row.time_to_first_token) == (None, None)
    assert row == run.row


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
