"""What a call took: told, estimated, or nothing; and a turn's rows as one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.runner.fakes import question

from agentbench.config.rates import Tokens
from agentbench.protocol import Usage
from agentbench.protocol.items import FunctionCall, Message, OutputText
from agentbench.runner.accounting import Call, Counts, counts, summary
from agentbench.runner.rates import input_estimate
from agentbench.storage.usage import UsageRow

ASKED = question("Why?")
MADE = (
    Message(id="a", role="assistant", content=(OutputText(text="x" * 400),)),
    FunctionCall(id="b", call_id="c", name="look", arguments="{}"),
)
PRODUCED = 103


def call(usage: Usage | None, *, whole: bool = True) -> Call:
    """Return a call that its upstream answered."""
    made = Call()
    made.request, made.told, made.is_whole = ASKED, usage, whole
    return made


def row(step: int, **fields: Any) -> UsageRow:
    """Return a row of a turn's."""
    given = {"user": "ann", "endpoint": "e", "model": "m", "context": "tool_step", "duration": 1.0, **fields}
    return UsageRow(id=f"use_{step}", time=datetime(2026, 1, 1, tzinfo=UTC), status="completed", step=step, **given)


def test_a_call_that_never_began() -> None:
    """It took nothing, whatever there is from before."""
    assert counts(Call(), MADE, exact=False) == Counts(Tokens())


@pytest.mark.parametrize(
    ("usage", "whole", "exact", "expected"),
    [
        (Usage.of(10, 20), True, False, (10, 20, False)),
        (Usage.of(10, 20), False, False, (10, PRODUCED, True)),
        (Usage.of(10, 20), False, True, (10, 20, False)),
        (Usage.of(10, 500), False, False, (10, 500, False)),
        (Usage.of(10, 0), True, False, (10, PRODUCED, True)),
        (Usage.of(0, 20), True, False, (None, 20, True)),
        (Usage.of(-5, 20), True, False, (0, 20, False)),
        (Usage.of(0, 0), True, True, (0, 0, False)),
        (None, True, False, (None, PRODUCED, True)),
        (None, False, True, (None, PRODUCED, True)),
    ],
)
def test_what_a_call_took(
    usage: Usage | None, *, whole: bool, exact: bool, expected: tuple[int | None, int, bool]
) -> None:
    """What was told counts, unless it can't be all; None stands for the estimated input."""
    found = counts(call(usage, whole=whole), MADE, exact=exact)
    read, produced, estimated = expected
    assert found.tokens.input == (input_estimate(ASKED) if read is None else read)
    assert (found.tokens.output, found.estimated) == (produced, estimated)


def test_more_reasoning_than_output() -> None:
    """Reasoning is part of the output, so it is no more than that."""
    found = counts(call(Usage.of(10, 20, reasoning=30)), MADE, exact=False)
    assert (found.reasoning, found.flags) == (20, ("reasoning_over_output",))


def test_a_turn_of_one_call() -> None:
    """Its row is the call's."""
    only = row(0, input_tokens=3, cost=0.5, estimated=False, flags="total")
    assert summary([only], waited=0.0) == only


def test_a_turn_of_two_calls() -> None:
    """Tokens and cost add up; the time is from the first call's start to the last one's end."""
    first = row(0, input_tokens=3, cost=0.5, time_to_first_token=0.25, estimated=True, flags="total")
    last = row(1, input_tokens=4, cost=0.25, time_to_first_token=0.5, flags="negative,total")
    both = summary([first, last], waited=3.0, context="message", status="incomplete")
    assert (both.input_tokens, both.cost, both.time_to_first_token, both.duration) == (7, 0.75, 0.25, 4.0)
    assert (both.context, both.status, both.estimated, both.flags) == ("message", "incomplete", True, "total,negative")


def test_a_turn_with_an_unknown_price() -> None:
    """If one of its calls has no known price, neither has the whole."""
    assert summary([row(0, cost=0.5), row(1)], waited=0.0).cost is None
