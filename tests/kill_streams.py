"""A process of its own with many streams at once, which prints the id of each answer that it has seen complete.

Run: python kill_streams.py HOME STREAMS SECONDS
Reservations hold for so many seconds. It goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from agentbench import Workbench
from agentbench.protocol import events as ev
from agentbench.runner import purse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONFIG"]

CONFIG: Mapping[str, object] = {
    "endpoints": {
        "scripted": {
            "models": {"sky": [{"text": "Air scatters "}, {"wait": 0.2}, {"text": "blue light most."}]},
            "tokenConfig": {"sky": {"prompt": 1, "completion": 1}},
        }
    },
    "balance": {"enabled": True, "startBalance": 1_000_000_000},
}


async def ask(bench: Workbench) -> None:
    """Ask again and again."""
    while True:
        async for event in bench.stream("Why is the sky blue?", model="scripted/sky", watching=False):
            if isinstance(event, ev.ResponseCompleted):
                print(event.response.id, flush=True)  # noqa: T201 - the test reads it


async def run(home: str, streams: int) -> None:
    """Keep so many streams open."""
    bench = Workbench(CONFIG, home=home)
    await asyncio.gather(*(ask(bench) for _ in range(streams)))


if __name__ == "__main__":
    purse.HELD_FOR = timedelta(seconds=float(sys.argv[3]))
    asyncio.run(run(sys.argv[1], int(sys.argv[2])))
