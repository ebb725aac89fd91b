"""The upstream calls of one turn: each is paid for before it is made, counted when it has ended, and gets its row."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from agentbench.config.rates import Tokens
from agentbench.errors import InsufficientBalance
from agentbench.runner.accounting import Call, row_of, summary
from agentbench.runner.budget import Amount, hold, room
from agentbench.runner.purse import microcredits
from agentbench.runner.rates import affordable_answer, rates_for, worst_case, worst_cost
from agentbench.storage.unsaved import Charge, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol import CreateResponse, Item
    from agentbench.runner.purse import Purse
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

__all__ = ["Ledger"]

_SHORTEST_ANSWER = 256
"""Tokens: a balance that is too small for them is too small for an answer."""


class Ledger:
    """Counts a turn's calls. `row` is all `rows` as one, None while the turn runs.

    Each call is paid from the `purse`, if there is one; without `keeps_rows` no row is stored. `warning` says what the
    database didn't take.
    """

    def __init__(
        self, turn: Turn, target: Target, database: Database, *, purse: Purse | None, keeps_rows: bool
    ) -> None:
        self.rows: tuple[UsageRow, ...] = ()
        self.row: UsageRow | None = None
        self.warning: str | None = None
        self._turn = turn
        self._target = target
        self._database = database
        self._purse = purse
        self._keeps_rows = keeps_rows
        self._calls = [Call()]
        self._counted = 0
        self._early: list[asyncio.Task[None]] = []

    @property
    def first(self) -> Call:
        """The turn's first call."""
        return self._calls[0]

    @property
    def call(self) -> Call:
        """The call that is being made, or was made last."""
        return self._calls[-1]

    def begin_call(self, begun: int) -> None:
        """Begin the next call, before which the answer has so many items."""
        self._calls.append(Call(len(self._calls), begun=begun))

    async def pay(self, request: CreateResponse) -> int | None:
        """Set aside what the call may cost at most.

        Returns how long the answer may be, where the request doesn't say and the balance is too small for a long one.
        Raises `BudgetExceeded` or `InsufficientBalance`, and then nothing is sent.
        """
        if self._purse is None and not self._turn.budgets:
            return None
        tokens = worst_case(request)
        rates = await rates_for(self._target.endpoint, self._target.model)
        worst = None if rates is None else worst_cost(rates, tokens)
        amount = Amount(worst, tokens.total_input + tokens.output)
        if self._turn.patient:
            await room(self._turn.budgets, self._target.name, amount)
        self.call.hold = hold(self._turn.budgets, self._target.name, amount)
        if self._purse is None or rates is None or worst is None:
            return None
        reserve = partial(self._purse.reserve, self._turn.principal.user)
        try:
            self.call.reservation = await reserve(microcredits(worst))
        except InsufficientBalance as error:
            limit = affordable_answer(rates, tokens.total_input, error.balance)
            if request.max_output_tokens is not None or limit < _SHORTEST_ANSWER:
                raise
            shorter = Tokens(input=tokens.total_input, output=limit)
            self.call.reservation = await reserve(microcredits(worst_cost(rates, shorter)))
            return limit
        return None

    async def write_early(self, made: Sequence[Item], response_id: str) -> None:
        """Write the row of a call that has a next one, while its tools run; nobody waits for it."""
        entry = await self._count(made, context="tool_step", response_id=response_id)
        self._early.append(asyncio.create_task(self.record(self._outcome([entry]))))

    async def close(self, made: Sequence[Item], **ended: object) -> Outcome:
        """Return what isn't written yet once the turn has ended: the last call's row and charge, if there was one."""
        await asyncio.gather(*self._early)
        late = [await self._count(made, **ended)] if self._counted < len(self._calls) else []
        waited = self._calls[self._counted - 1].start - self.first.start
        self.row = summary(self.rows, waited=waited, context=self._turn.context, **ended)
        return self._outcome(late)

    async def record(self, outcome: Outcome) -> None:
        """Write what came of a call; what the database doesn't take is kept until it does."""
        self.warning = await self._database.record(outcome) or self.warning

    async def _count(self, made: Sequence[Item], **ended: object) -> _Entry:
        """Count the call that has made these items and has ended, well or as told."""
        call = self.call
        rates = await rates_for(self._target.endpoint, self._target.model)
        self._counted = len(self._calls)
        row, cost = row_of(call, self._turn, self._target, made, rates, **ended)
        self.rows = (*self.rows, row)
        if call.hold is not None:
            call.hold.settle(Amount(cost, (row.input_tokens or 0) + (row.output_tokens or 0)))
        return _Entry(row, call.reservation, cost or Decimal(0))

    def _outcome(self, entries: Sequence[_Entry]) -> Outcome:
        rows = tuple(entry.row for entry in entries) if self._keeps_rows else ()
        charges = tuple(
            Charge(user=row.user, reservation=reservation, microcredits=microcredits(cost))
            for row, reservation, cost in entries
            if reservation is not None
        )
        return Outcome(rows=rows, charges=charges)


class _Entry(NamedTuple):
    """A row on its way to the ledger, and what pays for it."""

    row: UsageRow
    reservation: str | None
    cost: Decimal
