"""One of several servers is killed under load: clients try again, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2
import msgspec
import openai
from sqlalchemy import select
from tests.chaos.scale_out_shared import adds_up, until

from agentbench.storage import tables

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from tests.chaos.fleet import Fleet
    from tests.chaos.report import Row

__all__ = ["one_is_killed"]

CLIENTS = 24
MOST_TRIES = 3


@dataclass(slots=True)
class _Load:
    """What the clients saw."""

    client: AsyncOpenAI
    end: float
    acknowledged: set[str] = field(default_factory=set)
    calls: int = 0
    broken: int = 0
    lost: list[str] = field(default_factory=list)

    async def go_on(self, number: int) -> None:
        """Call until the time is over: every second client streams."""
        while time.monotonic() < self.end:
            self.calls += 1
            for tried in range(1, MOST_TRIES + 1):
                try:
                    self.acknowledged.add(await (self.streamed() if number % 2 else self.whole()))
                    break
                except (openai.APIConnectionError, httpx2.TransportError) as error:
                    self.broken += 1
                    if tried == MOST_TRIES:
                        self.lost.append(f"{MOST_TRIES} tries failed: {error!r}")
                except openai.APIError as error:
                    self.lost.append(repr(error))
                    break

    async def whole(self) -> str:
        """Return the id of an answer that came as a whole."""
        return (await self.client.responses.create(model="scripted/talker", input="Hi")).id

    async def streamed(self) -> str:
        """Return the id of an answer that came as a stream to its end."""
        stream = await self.client.responses.create(model="scripted/talker", input="Hi", stream=True)
        async with stream:
            async for event in stream:
                if event.type == "response.completed":
                    return event.response.id
        raise httpx2.ReadError("The stream ended early.")


async def one_is_killed(fleet: Fleet, row: Row) -> None:
    """Kill a server amid calls, streams and background responses."""
    client = await fleet.user("hans")
    started = [
        (await client.responses.create(model="scripted/endless", input="Hi", background=True)).id
        for _ in range(4 * len(fleet.processes))
    ]
    load = _Load(client, time.monotonic() + max(6.0, 40 * fleet.share))
    clients = [asyncio.create_task(load.go_on(number)) for number in range(CLIENTS)]
    await asyncio.sleep(max(2.0, 10 * fleet.share))
    await asyncio.to_thread(fleet.processes[1].kill)
    await asyncio.gather(*clients)
    row.lost += load.lost
    ended = await _ended(client, started, row)
    row.lost += [f"acknowledged, and not there: {each}" for each in load.acknowledged - await _whole(fleet, "hans")]
    if wrong := await adds_up(fleet, "hans"):
        row.lost.append(wrong)
    row.times = load.calls
    row.measured = f"{len(load.acknowledged)} acknowledged; {load.broken} tried again; {ended} background runs it had"


async def _ended(client: AsyncOpenAI, started: list[str], row: Row) -> int:
    """Wait until those of the dead server have failed and the others were cancelled; return how many it had."""
    failed: set[str] = set()

    async def over() -> bool:
        for each in started:
            if (await client.responses.retrieve(each)).status == "failed":
                failed.add(each)
        return len(failed) >= len(started) // 4

    if not await until(over, seconds=40):
        row.lost.append(f"{len(failed)} of the dead server's background responses failed")
    for each in set(started) - failed:
        await client.responses.cancel(each)

    async def cancelled() -> bool:
        found = [await client.responses.retrieve(each) for each in set(started) - failed]
        return all(each.status == "cancelled" for each in found)

    if not await until(cancelled):
        row.lost.append("a background response of the living could not be cancelled")
    return len(failed)


async def _whole(fleet: Fleet, user: str) -> set[str]:
    """Return the ids of the responses that are stored as complete and counted once."""
    owner = (await fleet.accounts.user(f"{user}@example.org")).id
    stored = select(tables.responses.c.id, tables.responses.c.response).where(tables.responses.c.user == owner)
    counted = select(tables.usage.c.response_id).where(
        tables.usage.c.user == owner, tables.usage.c.context == "message"
    )
    read = fleet.accounts.database.read
    texts = await read(lambda connection: connection.execute(stored).all())
    here = {key for key, text in texts if msgspec.json.decode(text)["status"] == "completed"}
    rows = await read(lambda connection: list(connection.scalars(counted)))
    return here & {each for each in rows if rows.count(each) == 1}
