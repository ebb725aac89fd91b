"""What conversations took: how many turns they have, and the sums of their calls in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import case, func, select

from agentbench.storage import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.storage.usage import UsageRow

__all__ = ["ConversationSums", "sums", "together"]

N = TypeVar("N", int, float)


class ConversationSums(NamedTuple):
    """The turns of all branches, and the calls with their tokens; `unknown` counts those whose cost nobody knows."""

    turns: int = 0
    calls: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    unknown: int = 0


def sums(connection: Connection, conversation_ids: Sequence[str], user: str) -> dict[str, ConversationSums]:
    """Return what these conversations of a user took, by their ids."""
    said, calls = tables.responses.c, tables.usage.c
    counted = select(said.conversation_id, func.count()).group_by(said.conversation_id)
    turns = counted.where(said.conversation_id.in_(conversation_ids), said.user == user)
    added = [func.sum(calls[name]) for name in ("input_tokens", "output_tokens", "cost")]
    unknown = func.count(case((calls.cost.is_(None), 1)))
    took = select(calls.conversation_id, func.count(), *added, unknown).group_by(calls.conversation_id)
    took = took.where(calls.conversation_id.in_(conversation_ids), calls.user == user)
    found = {row[0]: ConversationSums(0, *row[1:]) for row in connection.execute(took)}
    for key, count in connection.execute(turns):
        found[key] = found.get(key, ConversationSums())._replace(turns=count)
    return found


def together(stored: ConversationSums | None, turns: int, rows: Sequence[UsageRow]) -> ConversationSums:
    """Return what is stored of a conversation and what waits to be, as one."""
    one = stored or ConversationSums()
    costs = [row.cost for row in rows if row.cost is not None]
    return ConversationSums(
        turns=one.turns + turns,
        calls=one.calls + len(rows),
        input_tokens=_added(one.input_tokens, [row.input_tokens for row in rows]),
        output_tokens=_added(one.output_tokens, [row.output_tokens for row in rows]),
        cost=_added(one.cost, costs),
        unknown=one.unknown + len(rows) - len(costs),
    )


def _added(first: N | None, others: Sequence[N | None]) -> N | None:
    """Return the sum of what is known; None if nothing is."""
    total = first
    for each in others:
        if each is not None:
            total = each if total is None else total + each
    return total
