"""What turns and conversations took. What nobody knows stays unknown: a sum over it is a least, or unknown itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.notebook.markdown import dollars
from agentbench.runner.accounting import summary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agentbench.storage.usage import UsageRow

__all__ = ["totals", "turn_rows"]

_TURN = ("message", "tool_step")


def turn_rows(rows: Iterable[UsageRow]) -> dict[str, UsageRow]:
    """Return the calls of each turn as one, by the response's id; titles and the like are left out."""
    calls: dict[str, list[UsageRow]] = {}
    for row in rows:
        if row.response_id is not None and row.context in _TURN:
            calls.setdefault(row.response_id, []).append(row)
    return {response_id: _together(each) for response_id, each in calls.items()}


def totals(turns: int, rows: Collection[UsageRow]) -> dict[str, Any]:
    """Return what a conversation took, all its calls together; `cost` is None if that of any call is unknown."""
    costs = [row.cost for row in rows if row.cost is not None]
    unknown = len(rows) - len(costs)
    tokens = _known(row.input_tokens for row in rows), _known(row.output_tokens for row in rows)
    return {
        "turns": turns,
        "input_tokens": tokens[0],
        "output_tokens": tokens[1],
        "cost": sum(costs) if rows and not unknown else None,
        "line": _line(turns, tokens, sum(costs), unknown) if rows else "",
    }


def _together(rows: list[UsageRow]) -> UsageRow:
    rows.sort(key=lambda row: (row.step, row.time))
    last = rows[-1]
    waited = (last.time - rows[0].time).total_seconds()
    return summary(rows, waited=waited, context="message", status=last.status, error_type=last.error_type)


def _line(turns: int, tokens: tuple[int | None, int | None], cost: float, unknown: int) -> str:
    parts = [f"{turns:,} turn{'s' * (turns != 1)}"]
    if tokens != (None, None):
        parts.append(f"{_count(tokens[0])} → {_count(tokens[1])} tokens")
    if cost or not unknown:
        parts.append(f"{'at least ' * bool(unknown)}{dollars(cost)}")
    return " · ".join(parts)


def _known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"
