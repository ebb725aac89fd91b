"""What several servers on one database must share, tried through a proxy that asks another one each time."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import httpx2
import openai
from ruamel.yaml import YAML
from sqlalchemy import func, select
from tests.chaos.fleet import PASSWORD

from agentbench import Workbench
from agentbench.config.balance import MICROCREDITS, BalanceRules
from agentbench.storage import balances, tables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from openai import AsyncOpenAI
    from sqlalchemy import Connection
    from tests.chaos.fleet import Fleet
    from tests.chaos.report import Row

__all__ = ["CONFIG", "SHARED", "adds_up", "until"]

TURNS = ("one", "two", "three", "four", "five", "six")
CONFIG = f"""\
endpoints:
  scripted:
    titleConvo: true
    titleModel: namer
    tokenConfig: {{"*": {{prompt: 1, completion: 1}}}}
    models:
      counter: {{turns: [{", ".join(f"[{{text: {word}}}]" for word in TURNS)}]}}
      namer: [{{text: Numbers in order}}]
      slow: [{{text: "begun "}}, {{wait: 3}}, {{text: ended}}]
      endless: [{{text: "begun "}}, {{wait: 600}}]
      talker: [{{text: "{"word " * 40}"}}, {{wait: 0.5}}, {{text: "end"}}]
balance: {{enabled: true, startBalance: 1000000}}
interface: {{remoteAgents: {{use: true, create: true, models: true}}}}
"""
ALL_WELL = (list(TURNS[:3]), "Numbers in order")
RULES = BalanceRules(enabled=True, start=1_000_000 * MICROCREDITS)


async def until(done: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> bool:
    """Ask again and again; tell whether it became true in time."""
    end = time.monotonic() + seconds
    while not await done():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.1)
    return True


async def chains(fleet: Fleet, row: Row) -> None:
    """Go on with answers, of which each turn is another server's."""
    client, row.times = await fleet.user("ann"), fleet.times(24)

    async def talk() -> list[str]:
        said: list[str] = []
        previous: str | None = None
        for _ in TURNS:
            answer = await client.responses.create(
                model="scripted/counter", input="Go on.", previous_response_id=previous or openai.omit
            )
            said, previous = [*said, answer.output_text], answer.id
        return said

    for said in await asyncio.gather(*(talk() for _ in range(row.times))):
        if said != list(TURNS):
            row.lost.append(f"a chain said {said}")
    row.measured = f"{len(TURNS)} turns each; by server: {sorted(fleet.proxy.served.values())}"


async def titles(fleet: Fleet, row: Row) -> None:
    """Go on with conversations in one kernel that another one began, and find their titles in both."""
    config, url = YAML(typ="safe").load(CONFIG), fleet.database_url
    row.times = fleet.times(12)

    def ask(kernel: Workbench, conversation: str) -> str:
        return kernel.ask("Go on.", model="scripted/counter", conversation=conversation).output_text

    def talk() -> list[str]:
        with ExitStack() as stack:
            kernels = [stack.enter_context(Workbench(config, database_url=url)) for _ in range(2)]
            ids = [kernels[0].start_conversation().id for _ in range(row.times)]
            said = [
                [
                    kernels[n % 2].ask("Go on.", model="scripted/counter", conversation=each).output_text
                    for n in range(3)
                ]
                for each in ids
            ]
        with Workbench(config, database_url=url) as third:
            known = {each.id: each.title for each in third.conversations(row.times)}
        found = [(what, known.get(each)) for what, each in zip(said, ids, strict=True)]
        return [f"said {what}, titled {title!r}" for what, title in found if (what, title) != ALL_WELL]

    row.lost += await asyncio.to_thread(talk)


async def background(fleet: Fleet, row: Row) -> None:
    """Start responses here, look at them there, cancel half of them elsewhere."""
    client, row.times = await fleet.user("bob"), fleet.times(16)

    async def finish(number: int) -> None:
        model = ("scripted/slow", "scripted/endless")[number % 2]
        started = await client.responses.create(model=model, input="Hi", background=True)

        async def ended() -> bool:
            return (await client.responses.retrieve(started.id)).status not in {"queued", "in_progress"}

        if number % 2:
            await client.responses.cancel(started.id)
        if not await until(ended):
            row.lost.append(f"{model} did not end")
        found = await client.responses.retrieve(started.id)
        whole = found.status == "completed" and found.output_text == "begun ended"
        if not (found.status == "cancelled" if number % 2 else whole):
            row.lost.append(f"{model} ended as {found.status}: {found.output_text!r}")

    await asyncio.gather(*(finish(number) for number in range(row.times)))


async def adds_up(fleet: Fleet, user: str) -> str:
    """Say what is wrong with a user's balance; nothing, if it and what is held are all that wasn't charged."""
    owner = (await fleet.accounts.user(f"{user}@example.org")).id

    def job(connection: Connection) -> tuple[int, int, int]:
        standing = balances.show(connection, owner, rules=RULES, now=datetime.now(UTC))
        given = select(func.sum(tables.balance_changes.c.microcredits)).where(tables.balance_changes.c.user == owner)
        paid = select(func.sum(tables.usage.c.credits)).where(tables.usage.c.user == owner)
        charged = round((connection.scalar(paid) or 0) * MICROCREDITS)
        return standing.balance + standing.reserved, int(connection.scalar(given) or 0), charged

    left, given, charged = await fleet.accounts.database.read(job)
    return "" if left == given - charged >= 0 else f"{user} was given {given}, charged {charged}, and has {left}"


async def spending(fleet: Fleet, row: Row) -> None:
    """Spend a balance at once that is enough for some of the calls only."""
    client, row.times = await fleet.user("cleo", retries=0), max(40, fleet.times(80))
    owner = (await fleet.accounts.user("cleo@example.org")).id
    now = datetime.now(UTC)
    little = partial(balances.set_to, user=owner, amount=600 * MICROCREDITS, rules=RULES, now=now)
    await fleet.accounts.database.write(little)

    async def spend() -> int:
        try:
            await client.responses.create(model="scripted/talker", input="Hi", max_output_tokens=100, store=False)
        except openai.APIStatusError as refused:
            return refused.status_code
        return 200

    statuses = await asyncio.gather(*(spend() for _ in range(row.times)))
    if wrong := await adds_up(fleet, "cleo"):
        row.lost.append(wrong)
    if set(statuses) != {200, 402}:
        row.lost.append(f"statuses: {sorted(set(statuses))}")
    row.measured = f"{statuses.count(200)} answered, {statuses.count(402)} refused"


async def rates(fleet: Fleet, row: Row) -> None:
    """Ask more often with a key, and try more passwords, than a minute allows."""
    made = await fleet.new_key("dora", per_minute=20)
    client, row.times = fleet.client(made.secret.reveal(), retries=0), max(30, fleet.times(60))

    async def ask() -> int:
        try:
            await client.models.list()
        except openai.RateLimitError:
            return 429
        return 200

    statuses = await asyncio.gather(*(ask() for _ in range(row.times)))
    if statuses.count(200) != 20:
        row.lost.append(f"{statuses.count(200)} of 20 requests a minute got through")
    login = {"email": "dora@example.org", "password": "wrong"}
    async with httpx2.AsyncClient(base_url=fleet.proxy.url, headers={"connection": "close"}, timeout=60) as http:
        tries = [(await http.post("/api/auth/login", json=login)).status_code for _ in range(14)]
        tries += [(await http.post("/api/auth/login", json=login | {"password": PASSWORD})).status_code]
    if tries != [401] * 10 + [429] * 5:
        row.lost.append(f"sign-ins: {tries}")
    row.measured = "20 a minute got through, and 10 sign-ins"


async def files(fleet: Fleet, row: Row) -> None:
    """Upload files here, and find what is in them on each server, until it is deleted."""
    key = (await fleet.new_key("eve")).secret.reveal()
    client, here = fleet.client(key), fleet.each(key)
    store = await client.vector_stores.create(name="papers")
    facts = {"espresso.md": "Espresso is brewed at nine bar.", "kimchi.txt": "배추는 여덟 시간 절입니다."}

    async def searched(one: AsyncOpenAI, query: str) -> set[str]:
        found = await one.vector_stores.search(store.id, query=query, max_num_results=5)
        return {each.filename for each in found.data}

    uploaded = {}
    for name, text in facts.items():
        upload = await client.files.create(file=(name, text.encode()), purpose="assistants")
        uploaded[name] = upload.id
        await client.vector_stores.files.create_and_poll(upload.id, vector_store_id=store.id, poll_interval_ms=200)
        row.times += len(here)
        for each in await asyncio.gather(*(searched(one, text) for one in here)):
            if name not in each:
                row.lost.append(f"{name} was not found: {each}")
    await client.files.delete(uploaded["espresso.md"])
    row.times += len(here)
    for each in await asyncio.gather(*(searched(one, facts["espresso.md"]) for one in here)):
        if "espresso.md" in each:
            row.lost.append("a deleted file was found")


async def assistants(fleet: Fleet, row: Row) -> None:
    """Make assistants, threads and runs, each step of it with another server."""
    client, row.times = await fleet.user("fred"), fleet.times(12)

    async def work() -> None:
        made = await client.beta.assistants.create(model="scripted/counter", instructions="Count.")
        thread = await client.beta.threads.create(messages=[{"role": "user", "content": "Go on."}])
        for word in TURNS[:2]:
            run = await client.beta.threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=made.id, poll_interval_ms=200
            )
            newest = (await client.beta.threads.messages.list(thread.id, limit=1)).data[0]
            text = newest.content[0].text.value if newest.content[0].type == "text" else ""
            if (run.status, text) != ("completed", word):
                row.lost.append(f"a run ended as {run.status} and said {text!r}, not {word!r}")
            steps = await client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
            if [each.status for each in steps.data] != ["completed"]:
                row.lost.append(f"steps: {[each.status for each in steps.data]}")

    async def stop() -> None:
        made = await client.beta.assistants.create(model="scripted/endless")
        run = await client.beta.threads.create_and_run(assistant_id=made.id, thread={"messages": []})
        await client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)

        async def cancelled() -> bool:
            return (await client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)).status == "cancelled"

        if not await until(cancelled):
            row.lost.append("a run could not be cancelled")

    await asyncio.gather(*(work() for _ in range(row.times)), *(stop() for _ in range(row.times // 4)))


async def revoked(fleet: Fleet, row: Row) -> None:
    """Use keys everywhere, revoke them on one server by the person's sign-in, and be refused everywhere."""
    row.times = fleet.times(12)
    login = {"email": "gwen@example.org", "password": PASSWORD}
    await fleet.new_key("gwen")
    async with httpx2.AsyncClient(base_url=fleet.proxy.url, headers={"connection": "close"}, timeout=60) as http:
        token = (await http.post("/api/auth/login", json=login)).json()["token"]
        person = {"authorization": f"Bearer {token}"}
        for number in range(row.times):
            made = (await http.post("/api/keys", json={"name": f"k{number}"}, headers=person)).json()
            before = [await _status(one) for one in fleet.each(made["key"])]
            await http.delete(f"/api/keys/{made['id']}", headers=person)
            after = [await _status(one) for one in fleet.each(made["key"])]
            if (set(before), set(after)) != ({200}, {401}):
                row.lost.append(f"a key got {before}, and once revoked {after}")


async def _status(client: AsyncOpenAI) -> int:
    try:
        await client.models.list()
    except openai.APIStatusError as error:
        return error.status_code
    return 200


SHARED: Mapping[str, Callable[[Fleet, Row], Awaitable[None]]] = {
    "previous_response_id from server to server": chains,
    "conversations and titles of two kernels": titles,
    "background responses, cancelled from elsewhere": background,
    "a balance that is spent everywhere at once": spending,
    "requests a minute of a key, and attempts to sign in": rates,
    "files uploaded here, searched there": files,
    "assistants, threads and runs": assistants,
    "keys revoked here, refused there": revoked,
}
