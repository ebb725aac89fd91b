"""The rows of a turn, one a call, and who pays for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from sqlalchemy import select
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider, catalog, drain, play, question, runner_of, wants
from tests.runner.paid import PAID, double, look_up, tell

from agentbench.config.balance import MICROCREDITS, BalanceRules
from agentbench.errors import InsufficientBalance
from agentbench.protocol import CreateResponse, Usage
from agentbench.protocol.request import FunctionTool
from agentbench.runner import Turn
from agentbench.runner.tools import as_tool
from agentbench.storage import tables, usage

if TYPE_CHECKING:
    from agentbench.config import Catalog
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio


async def row_of(database: Database) -> UsageRow:
    """Return the one row there is."""
    (row,) = await database.read(usage.rows)
    return row


async def test_a_row_for_each_call(database: Database) -> None:
    """A call that has a next one says so; the turn's one row is the sum."""
    steps = [[wants("double", x=1), partial(tell, usage=Usage.of(10 * n, n))] for n in (1, 2)]
    last = ["Two.", partial(tell, usage=Usage.of(30, 3, cached=10))]
    run = await look_up(database, *steps, last, known=catalog(PAID))
    rows = await database.read(usage.rows)
    assert [(row.step, row.context) for row in rows] == [(0, "tool_step"), (1, "tool_step"), (2, "message")]
    assert [(row.input_tokens, row.output_tokens) for row in rows] == [(10, 1), (20, 2), (30, 3)]
    assert {(row.response_id, row.status) for row in rows} == {(run.response.id, "completed")}
    assert run.row is not None
    assert (run.row.input_tokens, run.row.output_tokens, run.row.cached_tokens) == (60, 6, 10)
    assert run.row.cost == pytest.approx(sum(row.cost or 0 for row in rows))
    assert (run.rows, run.row.context) == (tuple(rows), "message")


async def test_each_call_has_its_own_estimate(database: Database) -> None:
    """What an earlier call made is a later one's input."""
    await look_up(database, ["x" * 4_000, wants("double", x=1)], ["Two."])
    first, second = await database.read(usage.rows)
    assert (first.output_tokens or 0) > 1_000 > (second.output_tokens or 0)
    assert (second.input_tokens or 0) > (first.input_tokens or 0) + 1_000


async def test_a_call_that_the_clients_tools_end(database: Database) -> None:
    """It is the last one, so it is the message."""
    both = CreateResponse(input=question().input, tools=(FunctionTool(name="theirs"),))
    runner = runner_of(SteppedProvider([wants("double", x=1), wants("theirs")]), database)
    await drain(runner.start(Turn(request=both), tools=[as_tool(double)]))
    assert (await row_of(database)).context == "message"


async def test_no_ledger(database: Database) -> None:
    """Where the operator wants none, nothing is written, and the turn knows what it took all the same."""
    run = await look_up(
        database, [wants("double", x=1)], ["Two."], known=msgspec.structs.replace(catalog(), transactions=False)
    )
    assert await database.read(usage.rows) == []
    assert len(run.rows) == 2


# -- balances -------------------------------------------------------------------------------------------------------


def with_balances(credits_each: int) -> Catalog:
    """Return a catalog in which each user begins with so many credits."""
    rules = BalanceRules(enabled=True, start=credits_each * MICROCREDITS)
    return msgspec.structs.replace(catalog(PAID), balance=rules)


async def balance(database: Database) -> tuple[float, int]:
    """Return what the person at the kernel has, and how many reservations there are."""
    left = await database.read(lambda connection: connection.scalar(select(tables.balances.c.microcredits)))
    held = await database.read(lambda connection: len(connection.execute(select(tables.reservations)).all()))
    return (left or 0) / MICROCREDITS, held


async def test_a_call_is_paid_for(database: Database) -> None:
    """What it may cost is set aside, and what it cost is taken when its row is written."""
    steps = [[wants("double", x=1), partial(tell, usage=Usage.of(100, 50))]]
    await look_up(database, *steps, ["Two.", partial(tell, usage=Usage.of(1_000, 200))], known=with_balances(500_000))
    assert await balance(database) == (500_000 - 750 - 4_500, 0)


async def test_a_call_that_nobody_can_pay(database: Database) -> None:
    """It is refused before anything is sent; its row says that it cost nothing."""
    upstream = FakeProvider()
    with pytest.raises(InsufficientBalance):
        await drain(play(runner_of(upstream, database, with_balances(1_000))))
    row = await row_of(database)
    assert (upstream.requests, row.error_type, row.cost) == ([], "insufficient_balance", 0.0)


async def test_a_small_balance_pays_for_a_short_answer(database: Database) -> None:
    """Where the request leaves the length open, it is what the balance can pay; a length that is asked for stands."""
    upstream = FakeProvider()
    runner = runner_of(upstream, database, with_balances(20_000))
    await drain(play(runner))
    [sent] = upstream.requests
    assert sent.max_output_tokens is not None
    assert 1_900 < sent.max_output_tokens < 2_000
    with pytest.raises(InsufficientBalance):
        await drain(play(runner, question(max_output_tokens=8_000)))


async def test_a_background_answer_that_nobody_can_pay(database: Database) -> None:
    """It is refused at once, before it is stored as queued."""
    run = play(runner_of(FakeProvider(), database, with_balances(1_000)), question(background=True))
    with pytest.raises(InsufficientBalance):
        await drain(run)


async def test_a_later_call_that_nobody_can_pay(database: Database) -> None:
    """It ends the answer with an event; the calls before it are paid."""
    step = [wants("double", x=1), partial(tell, usage=Usage.of(100, 8_400))]
    run = await look_up(database, step, ["Two."], known=with_balances(85_000))
    assert run.response.error is not None
    assert run.response.error.code == "insufficient_balance"
    assert [row.status for row in await database.read(usage.rows)] == ["completed", "failed"]
    assert await balance(database) == (85_000 - 250 - 84_000, 0)


@pytest.mark.parametrize("chunks", [("x" * 400, HANG), (HANG,)])
async def test_an_interrupted_call_gives_back_the_rest(database: Database, chunks: tuple[object, ...]) -> None:
    """What it took is charged, and nothing stays set aside."""
    with anyio.move_on_after(0.2):
        await drain(play(runner_of(FakeProvider(*chunks), database, with_balances(500_000))))
    row = await row_of(database)
    assert await balance(database) == (500_000 - (row.credits or 0), 0)
