"""Calls that cost something: an endpoint with prices, and turns of several calls."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.runner.fakes import SteppedProvider, drain, question, runner_of

from agentbench.config import Endpoint
from agentbench.config.rates import Rates
from agentbench.runner import Turn
from agentbench.runner.tools import as_tool

if TYPE_CHECKING:
    from agentbench.protocol import EventBuilder, Usage
    from agentbench.runner import Run
    from agentbench.storage.database import Database

__all__ = ["PAID", "double", "look_up", "tell"]

PAID = Endpoint(
    name="acme",
    provider="openai_chat",
    base_url="https://llm.example.org/v1",
    models=("m",),
    rates={"m": Rates(input=Decimal("2.5"), output=Decimal(10), cached=Decimal("1.25"))},
)


def tell(builder: EventBuilder, usage: Usage) -> None:
    """Report these tokens."""
    builder.usage(usage)


async def look_up(database: Database, *answers: Any, **options: Any) -> Run:
    """Return a turn that is over, whose model may call a tool."""
    runner = runner_of(SteppedProvider(*answers), database, **options)
    run = runner.start(Turn(request=question()), tools=[as_tool(double)])
    await drain(run)
    return run


def double(x: int) -> int:
    """Double a number."""
    return 2 * x
