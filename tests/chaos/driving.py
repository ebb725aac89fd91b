"""Asks a workbench through the chaos upstream, and says what went otherwise than it must."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import httpx2
import msgspec
import psutil
from tests.grammar import check_grammar

from agentbench.errors import AgentbenchError, AnswerFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from agentbench import Workbench
    from agentbench.protocol import Event, Response

__all__ = ["CANARY", "Case", "Held", "Peak", "audited", "configured", "counted", "drive", "held", "settled"]

CANARY = "sk-canary-0123456789abcdef"
_PATIENCE = 90
"""Seconds that one run may take."""
_ASKED = 10
"""One in so many runs is asked for whole."""
_LONGEST = 700
_runs = itertools.count()

Ending = Literal["whole", "broken", "any"]


@dataclass(slots=True)
class Case:
    """One question to an upstream that misbehaves, and how it must end."""

    wire: str
    fault: str
    argument: str = ""
    ending: Ending = "any"
    text: str | None = None
    """What must have come; None: whatever has."""
    most: int = 1
    """How many requests the upstream may see."""
    stop_after: float | None = None
    """Seconds after which the reader asks for the end."""
    run: str = ""

    def __post_init__(self) -> None:
        self.run = self.run or f"n{next(_runs)}"

    @property
    def model(self) -> str:
        """The name to ask for."""
        return f"{self.wire}/{self.fault}~{self.argument}~{self.run}"

    def __str__(self) -> str:
        return f"{self.wire} {self.fault} {self.argument}"


def configured(url: str, *, seconds: float) -> dict[str, object]:
    """Return a config with an endpoint for each wire format, which may be silent for so many seconds."""
    shared = {
        "apiKey": CANARY,
        "models": {"fetch": True},
        "tokenConfig": {"*": {"prompt": 1, "completion": 1}},
        "connectTimeout": 30,
        "firstByteTimeout": seconds,
        "silenceTimeout": seconds,
    }
    names = ("anthropic", "google", "ollama")
    built_in = {name: {"baseURL": f"{url}/{name}", **shared} for name in names}
    built_in["bedrock"] = {"baseURL": f"{url}/bedrock", "region": "us-east-1", **shared}
    chat = {"name": "chat", "baseURL": f"{url}/chat", **shared}
    responses = {"name": "responses", "baseURL": f"{url}/responses", "useResponsesApi": True, **shared}
    return {
        "endpoints": {"custom": [chat, responses], **built_in},
        "balance": {"enabled": True, "startBalance": 10**12},
    }


# -- one run -----------------------------------------------------------------------------------------------------------


async def drive(bench: Workbench, cases: Iterable[Case], *, width: int = 48) -> list[str]:
    """Run all cases, so many at once; return what went wrong."""
    lost: list[str] = []
    waiting = iter(cases)

    async def work() -> None:
        for number, case in enumerate(waiting):
            way = _run if number % _ASKED or case.stop_after else _ask
            try:
                async with asyncio.timeout(_PATIENCE):
                    wrong = await way(bench, case)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a loss
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                lost.append(f"{case}: {wrong}"[:400])

    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(work())
    return lost


async def _run(bench: Workbench, case: Case) -> str:
    stream = bench.stream("Hi", model=case.model, watching=False)
    if case.stop_after is not None:
        asyncio.get_running_loop().call_later(case.stop_after, stream.stop)
    events: list[Event] = []
    try:
        while (batch := await stream.aread()) is not None:
            events += batch
    except AgentbenchError as error:
        return _refused(case, error, events)
    finally:
        await stream.aclose()
    check_grammar(events)
    if len(stream.run.rows) != 1:
        return f"{len(stream.run.rows)} rows"
    return _ended(case, stream.response)


async def _ask(bench: Workbench, case: Case) -> str:
    """Do what `_run` does through `ask`, on a thread."""
    try:
        return _ended(case, await asyncio.to_thread(bench.ask, "Hi", model=case.model))
    except AnswerFailed as error:
        return _ended(case, error.response)
    except AgentbenchError as error:
        return _refused(case, error, [])


def _refused(case: Case, error: AgentbenchError, events: list[Event]) -> str:
    if events:
        return f"{len(events)} events, then an error: {error}"
    if case.ending == "whole":
        return f"should be whole: {error}"
    if case.text:
        return f"the text is lost: {error}"
    return _told(error.code, error.message)


def _ended(case: Case, response: Response) -> str:
    whole = response.status == "completed"
    if case.ending != "any" and whole != (case.ending == "whole"):
        return f"should be {case.ending}, is {response.status}: {response.error}"
    if case.text is not None and response.output_text != case.text:
        return f"the text is {response.output_text!r}, not {case.text!r}"
    if CANARY.encode() in msgspec.json.encode(response):
        return "the key is in the response"
    return _told(response.error.code, response.error.message) if response.error else ""


def _told(code: str, message: str) -> str:
    """Return what is wrong with an error's words."""
    if code == "server_error":
        return f"a fault of our own: {message}"
    if CANARY in message:
        return f"the key is in the message: {message}"
    return "" if 10 < len(message) < _LONGEST else f"not a message: {message}"


# -- all runs ----------------------------------------------------------------------------------------------------------


def counted(bench: Workbench, cases: Iterable[Case]) -> list[str]:
    """Return which runs have sent another number of requests than they may have."""
    upstream = httpx2.URL(bench.catalog.endpoint("chat").base_url or "")
    counts = httpx2.get(upstream.join("/counts"), timeout=60).json()
    return [
        f"{case}: {counts.get(case.run, 0)} requests, not {case.most}"
        for case in cases
        if not 1 <= counts.get(case.run, 0) <= case.most
    ]


def audited(home: Path, cases: Iterable[Case]) -> list[str]:
    """Return for which runs the ledger has not one row, and what is still reserved."""
    with sqlite3.connect(home / "agentbench.db") as connection:
        rows = dict(connection.execute("select model, count(*) from usage group by model").fetchall())
        held = connection.execute("select count(*) from reservations").fetchone()[0]
    connection.close()
    lost = [f"{case}: {rows.get(case.model.partition('/')[2], 0)} rows in the ledger" for case in cases
            if rows.get(case.model.partition("/")[2]) != 1]  # fmt: skip
    return lost + [f"{held} reservations are held"] * bool(held)


class Held(NamedTuple):
    """What this process holds."""

    files: int
    threads: int
    tasks: int
    children: int


def held(bench: Workbench) -> Held:
    """Return what this process holds now."""

    async def tasks() -> int:
        gc.collect()
        return len(asyncio.all_tasks())

    portal = bench._open_loop().portal
    process = psutil.Process()
    return Held(process.num_fds(), threading.active_count(), portal.call(tasks), len(process.children()))


def settled(bench: Workbench, before: Held, *, spare: int = 8, seconds: float = 10) -> list[str]:
    """Return what is held more than before, which has so many seconds to go; idle connections may be there."""
    until = time.monotonic() + seconds
    while (now := held(bench)) and _more(before, now, spare) and time.monotonic() < until:
        time.sleep(0.2)
    return _more(before, now, spare)


def _more(before: Held, now: Held, spare: int) -> list[str]:
    allowed = before._replace(files=before.files + spare)
    return [f"{name}: {new}, was {old}" for name, old, new in zip(Held._fields, allowed, now, strict=True) if new > old]


class Peak:
    """How much memory this process had at most, above what it had at first, in MiB."""

    def __init__(self, pid: int | None = None) -> None:
        self._process = psutil.Process(pid)
        self.first = self.most = self._process.memory_info().rss
        self._over = threading.Event()

    @property
    def mebibytes(self) -> float:
        """The most above the first."""
        return (self.most - self.first) / 2**20

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look every few milliseconds."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, self._process.memory_info().rss)
