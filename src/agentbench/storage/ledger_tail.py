"""The ledger's newest calls, kept up to date, and the sums of all.

Owns what is known of the ledger; what is read from the database, and how, is `usage_tail`'s.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.storage import usage_tail
from agentbench.storage.usage_tail import Sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageFilter
    from agentbench.storage.usage_tail import Call

__all__ = ["MOST_CALLS", "LedgerTail", "sums_of"]

MOST_CALLS = 20_000
"""Calls that are kept; earlier ones count in the sums alone."""


class LedgerTail:
    """The newest calls of a ledger in the order in which they were stored; `count` is the number of those ever known.

    Not for several threads at once.
    """

    def __init__(self, database: Database, chosen: UsageFilter, most: int = MOST_CALLS) -> None:
        self.calls: list[Call] = []
        self.sums = Sums()
        self.count = 0
        self._database = database
        self._chosen = chosen
        self._most = most
        self._known: set[str] = set()
        self.reload()

    def reload(self) -> None:
        """Read it all anew."""
        self.calls = self._database.read_now(partial(usage_tail.newest, chosen=self._chosen, limit=self._most))
        self._known = {call.id for call in self.calls}
        self.count += 1 + len(self.calls)  # one more, so that nothing known before seems to join on
        if len(self.calls) < self._most:
            self.sums = sums_of(self.calls)
        else:
            self.sums = self._database.read_now(partial(usage_tail.sums, chosen=self._chosen))

    def poll(self) -> list[Call] | None:
        """Take in and return the calls that came since; None if the ledger is another one, and was read anew."""
        if not self.calls:
            self.reload()
            return list(self.calls)
        last = self.calls[-1]
        found = self._database.read_now(partial(usage_tail.since, chosen=self._chosen, place=last.place))
        if all(call.id != last.id for call in found):
            self.reload()
            return None
        new = [call for call in found if call.id not in self._known]
        self.calls += new
        self._known.update(call.id for call in new)
        self.sums = _together(self.sums, sums_of(new))
        self.count += len(new)
        return new

    def trim(self) -> None:
        """Forget the earliest calls beyond the most that are kept."""
        spare = len(self.calls) - self._most
        if spare > 0:
            self._known.difference_update(call.id for call in self.calls[:spare])
            del self.calls[:spare]


def sums_of(calls: Sequence[Call]) -> Sums:
    """Return the sums over these calls."""
    return Sums(
        calls=len(calls),
        input_tokens=sum(call.input_tokens or 0 for call in calls),
        output_tokens=sum(call.output_tokens or 0 for call in calls),
        cost=sum(call.cost or 0.0 for call in calls),
        unknown=sum(call.cost is None for call in calls),
        failed=sum(call.status == "failed" for call in calls),
    )


def _together(one: Sums, other: Sums) -> Sums:
    return Sums(
        calls=one.calls + other.calls,
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost=one.cost + other.cost,
        unknown=one.unknown + other.unknown,
        failed=one.failed + other.failed,
    )
