"""A process of its own in which many tasks pay from two balances at once; prints what each was charged, or "refused".

Run: python balance_spender.py URL SEED TASKS
"""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from agentbench.config.balance import BalanceRules
from agentbench.storage import balances
from agentbench.storage.balances import Refused
from agentbench.storage.database import Database

RULES = BalanceRules(enabled=True, start=2_000)
NEED = 50


async def pay(database: Database, user: str, charge: int, pause: float) -> None:
    """Reserve, wait as for an answer, and settle."""
    now = datetime.now(UTC)
    job = partial(balances.reserve, user=user, need=NEED, rules=RULES, now=now, expires=now + timedelta(hours=1))
    reservation = await database.write(job)
    if isinstance(reservation, Refused):
        print(user, "refused", flush=True)  # noqa: T201 - the test reads it
        return
    await asyncio.sleep(pause)
    await database.write(partial(balances.settle, user=user, reservation=reservation, charge=charge))
    print(user, charge, flush=True)  # noqa: T201 - the test reads it


async def run(url: str, seed: int, tasks: int) -> None:
    """Let all tasks go at once; the two processes take the users in different orders."""
    database = Database(url)
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    users = [chance.choice(["ann", "bob"]) for _ in range(tasks)]
    await asyncio.gather(*(pay(database, user, chance.randrange(NEED), chance.random() / 10) for user in users))
    database.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
