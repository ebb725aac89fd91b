"""Budgets: what counts, what is refused, and what is held meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.runner.fakes import HANG, FakeProvider, kinds

from agentbench import Workbench
from agentbench.errors import AnswerFailed, BudgetExceeded, InvalidRequest, UpstreamRefused
from agentbench.runner.budget import Amount, Budget, Budgets, dollars, hold

if TYPE_CHECKING:
    from collections.abc import Iterator

RATES = {"prompt": 0, "completion": 1_000}  # a tenth of a cent a token, of the output only
SPENT = {"usage": {"input_tokens": 10, "output_tokens": 5}}  # half a cent
TURNS = {"turns": [[{"call": {"name": "look", "arguments": {}}}, SPENT], [{"text": "one"}, SPENT]]}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {"paid": [{"text": "one"}, SPENT], "free": [{"text": "one"}, SPENT], "tools": TURNS},
            "tokenConfig": {"paid": RATES, "free": {"prompt": 0, "completion": 0}},
        },
        "custom": [{"name": "dark", "baseURL": "http://127.0.0.1:9/v1", "models": {"default": ["m"]}}],
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "paid"}],
}
LONGEST = 10
"""In tokens, and in cents."""


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench whose model takes up to a cent a call, and in truth half of it."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio."""
    return "asyncio"


def ask(bench: Workbench, **options: Any) -> str:
    """Ask for an answer of ten tokens at most."""
    return bench.ask("Hi", max_output_tokens=LONGEST, **options).output_text


def put(bench: Workbench, provider: FakeProvider) -> FakeProvider:
    """Put a fake in place of the scripts."""
    made: Any = bench._providers._made
    made["scripted"] = provider
    return provider


# -- a budget by itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{}, {"usd": -1}, {"usd": float("nan")}, {"usd": float("inf")}, {"tokens": -1}])
def test_a_limit_must_be_an_amount(limits: dict[str, Any]) -> None:
    """None at all, a negative one, and what is no number are refused."""
    with pytest.raises(InvalidRequest, match="budget"):
        Budget(**limits)


def test_decimal_amounts_add_up() -> None:
    """Three times ten cents are thirty, whatever binary fractions say."""
    budget = Budget(usd=0.3)
    for _ in range(3):
        hold([budget], "m", Amount(Decimal("0.1"), 0)).settle(Amount(Decimal("0.1"), 0))
    assert (budget.spent_usd, budget.left_usd) == (0.3, 0)


def test_the_actual_cost_stands_in_place_of_the_worst() -> None:
    """What a call may take is held while it runs; when it ends, what it took counts. A second end changes nothing."""
    budget = Budget(usd=1, tokens=100)
    held = hold([budget], "m", Amount(Decimal("0.8"), 80))
    assert (budget.left_usd, budget.left_tokens, budget.spent_tokens) == (0.2, 20, 0)
    for _ in range(2):
        held.settle(Amount(Decimal("0.25"), 30))
    assert (budget.spent_usd, budget.left_usd, budget.spent_tokens, budget.left_tokens) == (0.25, 0.75, 30, 70)


def test_refused_by_one_held_by_none() -> None:
    """Where one of several budgets refuses, the others have what they had."""
    wide, narrow = Budget(usd=1), Budget(usd=0.1)
    with pytest.raises(BudgetExceeded):
        hold([wide, narrow], "m", Amount(Decimal("0.5"), 1))
    assert (wide.left_usd, narrow.left_usd) == (1, 0.1)


def test_what_a_refusal_says() -> None:
    """The call's worst case, the limit, what is spent, and what running calls hold."""
    budget = Budget(usd=1)
    hold([budget], "m", Amount(Decimal("0.25"), 1)).settle(Amount(Decimal("0.25"), 1))
    hold([budget], "m", Amount(Decimal("0.5"), 1))
    with pytest.raises(BudgetExceeded) as caught:
        hold([budget], "acme/m", Amount(Decimal("0.3001"), 1))
    assert caught.value.message == (
        "acme/m may cost $0.3001 here, and of the budget of $1.00 $0.25 is spent, $0.50 held by calls that still run."
        " Nothing was sent: lower max_output_tokens, or raise the budget."
    )
    assert (caught.value.status, caught.value.code) == (402, "budget_exceeded")


def test_the_same_in_tokens() -> None:
    """Input and output count together."""
    budget = Budget(tokens=100)
    with pytest.raises(BudgetExceeded, match="m may take 1,101 tokens here, and of the budget of 100 0 are spent"):
        hold([budget], "m", Amount(None, 1_101))


def test_many_threads_hold_no_more_than_there_is() -> None:
    """Of twenty calls at once as many are let through as the limit allows."""
    budget = Budget(tokens=50)

    def take(_: int) -> bool:
        try:
            hold([budget], "m", Amount(None, 10))
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(20))) == 5


@pytest.mark.parametrize(
    ("usd", "shown"), [(0, "$0.00"), (1234.5, "$1,234.50"), (0.00012, "$0.00012"), (1e-7, "$0.00")]
)
def test_amounts_as_text(usd: float, shown: str) -> None:
    """Two decimal places or more, down to a credit."""
    assert dollars(usd) == shown


def test_repr() -> None:
    """It says what is spent of what."""
    budget = Budget(usd=0.05, tokens=1_000)
    hold([budget], "m", Amount(Decimal(0), 0)).settle(Amount(Decimal("0.0123"), 50))
    assert repr(budget) == "<Budget: $0.0123 of $0.05 spent, 50 of 1,000 tokens spent>"


# -- which calls count ----------------------------------------------------------------------------------------------


def test_blocks_that_run_side_by_side_do_not_mix() -> None:
    """Each task counts against its own."""
    budgets = Budgets()

    async def work(budget: Budget) -> tuple[Budget, ...]:
        with budgets.block(budget):
            await asyncio.sleep(0.01)
            return await asyncio.to_thread(budgets.now)

    async def both() -> list[tuple[Budget, ...]]:
        return await asyncio.gather(work(one), work(other))

    one, other = Budget(usd=1), Budget(usd=1)
    assert asyncio.run(both()) == [(one,), (other,)]


def test_a_thread_counts_against_every_open_block() -> None:
    """It doesn't know in which it was started."""
    budgets, budget = Budgets(), Budget(usd=1)
    with ThreadPoolExecutor(1) as pool, budgets.block(budget):
        assert pool.submit(budgets.now).result() == (budget,)


def test_another_workbench_has_its_own() -> None:
    """A block limits the calls of the workbench that it was made by."""
    budgets, others = Budgets(), Budgets()
    with budgets.block(Budget(usd=1)):
        assert others.now() == ()


# -- calls ----------------------------------------------------------------------------------------------------------


def test_a_block_limits_what_is_spent(bench: Workbench) -> None:
    """Calls are made as long as the worst case fits, and the refused one is never sent."""
    with bench.budget(usd=0.02) as budget:
        answers = [ask(bench) for _ in range(3)]
        assert (answers, budget.spent_usd, budget.left_usd) == (["one"] * 3, 0.015, 0.005)
        upstream = put(bench, FakeProvider())
        with pytest.raises(BudgetExceeded, match=r"scripted/paid may cost \$0.01 here, .* \$0.02 \$0.015 is spent"):
            ask(bench)
    assert upstream.requests == []


def test_the_limit_ends_with_the_block(bench: Workbench) -> None:
    """So it does where an exception leaves the block."""
    with pytest.raises(KeyError), bench.budget(usd=0):
        raise KeyError
    assert ask(bench) == "one"


def test_nested_blocks_must_all_allow_a_call(bench: Workbench) -> None:
    """A call counts against each."""
    with bench.budget(usd=0.011) as outer, bench.budget(usd=5) as inner:
        ask(bench)
        with pytest.raises(BudgetExceeded):
            ask(bench)
    assert (outer.spent_usd, inner.spent_usd) == (0.005, 0.005)


def test_tokens_only(bench: Workbench) -> None:
    """The price doesn't matter, nor that nobody knows it."""
    with bench.budget(tokens=60) as budget:
        ask(bench)
    assert (budget.spent_tokens, budget.left_tokens, budget.left_usd) == (15, 45, None)


def test_an_unknown_price(bench: Workbench) -> None:
    """It can't be kept within a budget in dollars, so the call is refused by name; one in tokens lets it through."""
    with bench.budget(usd=100), pytest.raises(BudgetExceeded, match="The price of dark/m is unknown"):
        ask(bench, model="dark/m")
    with bench.budget(tokens=1_000), pytest.raises(Exception, match="dark"):
        ask(bench, model="dark/m")


def test_a_free_model(bench: Workbench) -> None:
    """It may be asked with no money left."""
    with bench.budget(usd=0) as budget:
        assert ask(bench, model="scripted/free") == "one"
    assert budget.spent_tokens == 15


def test_parallel_calls_do_not_overshoot(bench: Workbench) -> None:
    """Of eight at once only those are sent whose worst cases fit together."""
    with bench.budget(usd=0.03) as budget, ThreadPoolExecutor(8) as pool:
        done = [each.exception() for each in [pool.submit(ask, bench) for _ in range(8)]]
    assert {type(each) for each in done} <= {type(None), BudgetExceeded}
    assert budget.spent_usd == pytest.approx(0.005 * done.count(None))
    assert budget.spent_usd <= 0.03
    assert budget.left_usd == pytest.approx(0.03 - budget.spent_usd)


def test_a_running_call_holds_its_worst_case(bench: Workbench) -> None:
    """Until it is stopped; then what it produced counts."""
    put(bench, FakeProvider("one two ", HANG))
    with bench.budget(usd=0.015) as budget:
        stream = bench.stream("Hi", max_output_tokens=LONGEST)
        while "output_text.delta" not in kinds(stream.read(5) or []):
            pass
        assert budget.left_usd == pytest.approx(0.005)
        with pytest.raises(BudgetExceeded, match=r"\$0.01 held by calls that still run"):
            ask(bench)
        stream.stop()
        list(stream)
    assert stream.run.row is not None
    assert budget.spent_usd == stream.run.row.cost
    assert 0 < budget.spent_usd < 0.01


def test_a_refused_call_gives_back_what_it_held(bench: Workbench) -> None:
    """Nobody answered, so nothing is spent."""
    put(bench, FakeProvider(refusals=(UpstreamRefused("No."),)))
    with bench.budget(usd=0.01) as budget:
        with pytest.raises(UpstreamRefused):
            ask(bench)
        assert (budget.spent_usd, budget.left_usd) == (0, 0.01)


def test_every_step_of_a_turn_counts(bench: Workbench) -> None:
    """A tool's result goes back in a call of its own; what is asked within the tool counts too."""

    def look() -> str:
        """Look."""
        return ask(bench)

    with bench.budget(usd=1) as budget:
        assert ask(bench, model="scripted/tools", functions=[look]) == "one"
    assert (budget.spent_tokens, budget.spent_usd) == (45, 0.005)


def test_a_step_that_would_pass_the_limit(bench: Workbench) -> None:
    """An answer that has begun breaks off there, and says why."""

    def look() -> str:
        """Look."""
        return "far " * 200

    with bench.budget(tokens=150) as budget, pytest.raises(AnswerFailed, match="of the budget of 150 15 are spent"):
        ask(bench, model="scripted/tools", functions=[look])
    assert (budget.spent_tokens, budget.left_tokens) == (15, 135)


def test_titles_count(bench: Workbench) -> None:
    """The call that names a conversation counts against the block that began it, and needs room for a long answer."""
    bench.config.set("scripted.titleConvo", True)  # noqa: FBT003 - the setting's value
    with bench.budget(usd=10) as budget:
        ask(bench, conversation=bench.start_conversation())
        bench._loop.portal.call(bench._runner.titles.settled)
    assert (budget.spent_tokens, budget.spent_usd) == (30, 0.01)


def test_in_process_clients_count(bench: Workbench) -> None:
    """A request of an SDK's client counts where it is made; its refusal is a 402."""
    client = bench.openai()
    with bench.budget(usd=0.011) as budget:
        client.responses.create(model="bot", input="Hi", max_output_tokens=LONGEST)
        assert budget.spent_usd == 0.005
        with pytest.raises(openai.APIStatusError) as caught:
            client.responses.create(model="bot", input="Hi", max_output_tokens=LONGEST)
    assert (caught.value.status_code, caught.value.code) == (402, "budget_exceeded")


@pytest.mark.anyio
async def test_asynchronous_clients_count(bench: Workbench) -> None:
    """Tasks of one block count together, those of another apart."""

    async def work(count: int) -> float:
        client = bench.async_openai()
        with bench.budget(usd=1) as budget:
            for _ in range(count):
                await client.responses.create(model="bot", input="Hi", max_output_tokens=LONGEST)
        return budget.spent_usd

    assert await asyncio.gather(work(1), work(2)) == [0.005, 0.01]


def test_a_standing_budget(bench: Workbench) -> None:
    """It holds for every call beside the blocks, until it is taken away."""
    bench.budgets.standing = budget = Budget(usd=0.011)
    with bench.budget(usd=1) as block:
        ask(bench)
        with pytest.raises(BudgetExceeded):
            ask(bench)
    assert (budget.spent_usd, block.spent_usd) == (0.005, 0.005)
    bench.budgets.standing = None
    assert ask(bench) == "one"
