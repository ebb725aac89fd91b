"""What a turn took: its times, tokens and cost, as one row of the ledger."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio.to_thread

from agentbench.protocol.events import ArgumentsDelta, ReasoningDelta, RefusalDelta, SummaryDelta, TextDelta
from agentbench.protocol.values import new_id
from agentbench.storage.usage import UsageRow, UsageStatus

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import Event, Response, Usage
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn

__all__ = ["Meter", "cost_of"]

_FIRST = TextDelta | ReasoningDelta | SummaryDelta | ArgumentsDelta | RefusalDelta
_IN_PROCESS = ("llama_cpp", "scripted")


class Meter:
    """Watches one turn from its start."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)
        self._start = time.perf_counter()
        self._first: float | None = None

    def watch(self, batch: list[Event]) -> None:
        """Note when the first piece of an answer came."""
        if self._first is None and any(isinstance(event, _FIRST) for event in batch):
            self._first = time.perf_counter()

    def row(
        self, turn: Turn, target: Target, response: Response | None, *, cost: float | None, error: str | None = None
    ) -> UsageRow:
        """Return the ledger's row; `response` is None if the upstream never began to answer."""
        cell = turn.cell
        return UsageRow(
            id=new_id("use"),
            time=self.time,
            user=turn.principal.user,
            context=turn.context,
            conversation_id=turn.conversation,
            response_id=None if response is None else response.id,
            cell_id=None if cell is None else cell.id,
            execution_count=None if cell is None else cell.execution_count,
            agent=None if target.agent is None else target.agent.id,
            endpoint=target.endpoint.name,
            model=target.model,
            **_tokens(None if response is None else response.usage),
            cost=cost,
            time_to_first_token=None if self._first is None else self._first - self._start,
            duration=time.perf_counter() - self._start,
            status=_status(response),
            error_type=error,
        )


def _status(response: Response | None) -> UsageStatus:
    if response is None or response.status not in ("completed", "incomplete", "cancelled"):
        return "failed"
    return "completed" if response.status == "completed" else "incomplete"


def _tokens(usage: Usage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.input_tokens_details.cached_tokens,
        "cache_write_tokens": usage.input_tokens_details.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.output_tokens_details.reasoning_tokens,
    }


async def cost_of(endpoint: Endpoint, model: str, usage: Usage | None) -> float | None:
    """Return what the tokens cost in US dollars: 0 for a model in this process, None where nobody knows."""
    if endpoint.provider in _IN_PROCESS:
        return 0.0
    if usage is None or not endpoint.base_url:
        return None
    return await anyio.to_thread.run_sync(_listed_price, endpoint.base_url, model, usage)


def _listed_price(base_url: str, model: str, usage: Usage) -> float | None:
    import genai_prices  # half a second of import, so only where a price is wanted, and off the event loop

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.input_tokens_details.cached_tokens,
        cache_write_tokens=usage.input_tokens_details.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    try:
        return float(genai_prices.calc_price(tokens, model, provider_api_url=base_url).total_price)
    except LookupError:
        return None
