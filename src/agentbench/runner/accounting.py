"""What one upstream call took: its times, tokens and cost, as one row of the ledger."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from agentbench.config.rates import CREDITS_PER_USD, Tokens
from agentbench.protocol.events import ArgumentsDelta, ReasoningDelta, RefusalDelta, SummaryDelta, TextDelta
from agentbench.protocol.values import new_id
from agentbench.runner.rates import flags_of, input_estimate, is_in_process, output_estimate, tokens_of
from agentbench.storage.usage import UsageRow, UsageStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.config.endpoint import Endpoint
    from agentbench.config.rates import Rates
    from agentbench.protocol import CreateResponse, Event, Item, Response, Usage
    from agentbench.runner.budget import Hold
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn

__all__ = ["Call", "Counts", "counts", "row_of", "status_of", "summary"]

_FIRST = TextDelta | ReasoningDelta | SummaryDelta | ArgumentsDelta | RefusalDelta
N = TypeVar("N", int, float)


class Call:
    """One upstream call from its start, whoever counts it; the same one if it is asked again with less of the past."""

    def __init__(self, step: int = 0, *, begun: int = 0) -> None:
        self.step = step
        self.begun = begun
        """How many items the answer had before it."""
        self.time = datetime.now(UTC)
        self.start = time.perf_counter()
        self.request: CreateResponse | None = None
        """What the upstream answers; None until it begins to."""
        self.told: Usage | None = None
        self.is_whole = False
        """Whether the upstream said that it had ended."""
        self.reservation: str | None = None
        self.hold: Hold | None = None
        self._first: float | None = None

    def watch(self, batch: Sequence[Event]) -> None:
        """Note when the first piece of an answer came."""
        if self._first is None and any(isinstance(event, _FIRST) for event in batch):
            self.note_first()

    def note_first(self) -> None:
        """Note that a piece of the answer came now."""
        if self._first is None:
            self._first = time.perf_counter()

    @property
    def time_to_first_token(self) -> float | None:
        """In seconds; None if there was no token."""
        return None if self._first is None else self._first - self.start


class Counts(NamedTuple):
    """What a call took, and whether to believe it."""

    tokens: Tokens
    reasoning: int = 0
    estimated: bool = False
    flags: tuple[str, ...] = ()


def counts(call: Call, made: Sequence[Item], *, exact: bool) -> Counts:
    """Return what a call that made these items took: nothing, if the upstream never began to answer.

    What wasn't told, or can't be true, is estimated; so is the output of a call that broke off. Counts that are `exact`
    at any time are taken as they are.
    """
    if call.request is None:
        return Counts(Tokens())
    told, flags = call.told, () if call.told is None else flags_of(call.told)
    if told is None or "absurd" in flags:
        tokens = Tokens(input=input_estimate(call.request), output=output_estimate(made))
        return Counts(tokens, estimated=True, flags=flags)
    tokens = tokens_of(told)
    guess = tokens
    if not exact and told.input_tokens == 0:
        guess = msgspec.structs.replace(guess, input=input_estimate(call.request))
    if not exact and (told.output_tokens == 0 or not call.is_whole):
        guess = msgspec.structs.replace(guess, output=max(tokens.output, output_estimate(made)))
    reasoning = max(0, min(told.output_tokens_details.reasoning_tokens, guess.output))
    return Counts(guess, reasoning, estimated=guess != tokens, flags=flags)


def row_of(
    call: Call, turn: Turn, target: Target, made: Sequence[Item], rates: Rates | None, **ended: object
) -> tuple[UsageRow, Decimal | None]:
    """Return a call's row, with how it `ended` if not well, and its exact cost; None where nobody knows the rates."""
    cell = turn.cell
    found = counts(call, made, exact=_counts_exactly(target.endpoint))
    row = UsageRow(
        id=new_id("use"),
        time=call.time,
        user=turn.principal.user,
        key_id=turn.principal.key,
        context=turn.context,
        conversation_id=turn.conversation,
        notebook=None if cell is None else cell.notebook,
        cell_id=None if cell is None else cell.id,
        execution_count=None if cell is None else cell.execution_count,
        agent=None if target.agent is None else target.agent.id,
        endpoint=target.endpoint.name,
        model=target.model,
        step=call.step,
        time_to_first_token=call.time_to_first_token,
        duration=time.perf_counter() - call.start,
        status="completed",
    )
    cost = Decimal(0) if call.request is None else None if rates is None else rates.cost(found.tokens)
    changes = _tokens(found) | _prices(found.tokens, rates) | _costs(cost) | ended
    return msgspec.structs.replace(row, **changes), cost


def _counts_exactly(endpoint: Endpoint) -> bool:
    """Tell whether what an endpoint counts is taken as it is: a run counts all of its calls when it ends."""
    return is_in_process(endpoint) or endpoint.provider == "assistants"


def status_of(response: Response | None) -> UsageStatus:
    """Return how an answer ended; None is one that never began."""
    if response is None or response.status not in ("completed", "incomplete", "cancelled"):
        return "failed"
    return "completed" if response.status == "completed" else "incomplete"


def summary(rows: Sequence[UsageRow], *, waited: float, **ended: object) -> UsageRow:
    """Return a turn's rows as one: the last with everybody's tokens and cost, and how the turn `ended`.

    `waited` is from the first call's start to the last one's, in seconds.
    """
    first, last = rows[0], rows[-1]
    together = {name: _sum(getattr(row, name) for row in rows) for name in _SUMMED}
    flags = dict.fromkeys(name for row in rows for name in (row.flags or "").split(",") if name)
    return msgspec.structs.replace(
        last,
        time=first.time,
        time_to_first_token=first.time_to_first_token,
        duration=waited + last.duration,
        estimated=any(row.estimated for row in rows),
        flags=",".join(flags) or None,
        **together,
        **ended,
    )


_SUMMED = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
    "credits",
)


def _sum(values: Iterable[N | None]) -> N | None:
    total: N | None = None
    for value in values:
        if value is None:
            return None
        total = value if total is None else total + value
    return total


def _tokens(found: Counts) -> dict[str, object]:
    tokens = found.tokens
    return {
        "input_tokens": tokens.total_input,
        "cached_tokens": tokens.cached,
        "cache_write_tokens": tokens.cache_write,
        "output_tokens": tokens.output,
        "reasoning_tokens": found.reasoning,
        "estimated": found.estimated,
        "flags": ",".join(found.flags) or None,
    }


def _prices(tokens: Tokens, rates: Rates | None) -> dict[str, object]:
    if rates is None:
        return {}
    plain = rates.at(tokens.total_input)
    return {
        "rate_source": rates.source,
        "input_rate": _float(plain.input),
        "cached_rate": _float(plain.cached),
        "cache_write_rate": _float(plain.cache_write),
        "output_rate": _float(plain.output),
    }


def _costs(cost: Decimal | None) -> dict[str, object]:
    return {} if cost is None else {"cost": float(cost), "credits": float(cost * CREDITS_PER_USD)}


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
