"""What a streamed chunk costs the process that reads it: agentbench beside httpx2 and the openai SDK.

All read the same mock upstream, in turns. Figures are microseconds of this process's CPU time for each chunk of an
answer of 2,000, with all that an answer takes: settings, accounting, storing. `paced` is one chunk a millisecond.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import openai
from benchmarks.figures import Figure, cpu_of, interleaved
from benchmarks.ledger import example_row
from benchmarks.upstream import upstream

from agentbench import Workbench
from agentbench.protocol.events import TextDelta
from agentbench.runner.accounting import Call
from agentbench.storage import usage
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

__all__ = ["measure"]

_CHUNKS, _PACED, _PACED_SHORT = 2000, 1000, 300
_ROWS = 200
_MICRO, _MILLI = 1e6, 1e3
_CPU, _WALL = "µs/chunk", "ms"

_LINES = "httpx2 aiter_lines"
_CHAT, _RESPONSES = "openai SDK, chat", "openai SDK, responses"
_ASYNC, _SYNC, _TYPED = "bench.stream", "bench.stream, synchronous", "bench.stream, openai's typed events"
_OWN_CHAT, _OWN_RESPONSES = "async_openai(), chat", "async_openai(), responses"


def measure(*, short: bool) -> list[Figure]:
    """Return the figures; the short form takes fewer rounds and chunks."""
    rounds, paced, firsts = (5, _PACED_SHORT, 15) if short else (9, _PACED, 60)
    with _readers() as readers:
        found = _costs(readers, _CHUNKS, rounds)
        slowly = _paced(readers, paced, rounds)
        first = _firsts(readers, firsts)
    return [*_fast(found), *_slow(slowly), *_first(first), *_usage()]


# -- what is measured -----------------------------------------------------------------------------------------------


class _Readers:
    """Each reads a whole answer of a model, and tells `first` when its text begins."""

    def __init__(self, url: str, bench: Workbench) -> None:
        self.loop = asyncio.new_event_loop()
        self._url, self._bench = url, bench
        self._http = httpx2.AsyncClient()
        self._sdk = openai.AsyncOpenAI(base_url=url, api_key="key")
        self._own = bench.async_openai()
        self.first: float | None = None

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.first = None
        self.loop.run_until_complete(work)

    def begins(self) -> None:
        self.first = time.perf_counter()

    async def lines(self, model: str) -> None:
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        async with self._http.stream("POST", f"{self._url}/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if self.first is None and '"content":" ' in line:
                    self.begins()

    async def chat(self, client: openai.AsyncOpenAI, model: str) -> None:
        messages: Any = [{"role": "user", "content": "Hi"}]
        async for chunk in await client.chat.completions.create(model=model, messages=messages, stream=True):
            if self.first is None and chunk.choices and chunk.choices[0].delta.content:
                self.begins()

    async def responses(self, client: openai.AsyncOpenAI, model: str) -> None:
        async for event in await client.responses.create(model=model, input="Hi", stream=True):
            if self.first is None and event.type == "response.output_text.delta":
                self.begins()

    async def stream(self, model: str) -> None:
        async for event in self._bench.stream("Hi", model=f"mock/{model}", watching=False):
            if self.first is None and isinstance(event, TextDelta):
                self.begins()

    async def typed(self, model: str) -> None:
        async for event in self._bench.stream("Hi", model=f"mock/{model}", watching=False).openai_events():
            if self.first is None and event.type == "response.output_text.delta":
                self.begins()

    def synchronous(self, model: str) -> None:
        self.first, begun = None, False
        for event in self._bench.stream("Hi", model=f"mock/{model}", watching=False):
            if not begun and isinstance(event, TextDelta):
                begun = True
                self.begins()

    def all(self, model: str) -> dict[str, Callable[[], None]]:
        """Return what reads an answer, by name."""
        return {
            _LINES: lambda: self.run(self.lines(model)),
            _ASYNC: lambda: self.run(self.stream(model)),
            _SYNC: lambda: self.synchronous(model),
            _TYPED: lambda: self.run(self.typed(model)),
            _CHAT: lambda: self.run(self.chat(self._sdk, model)),
            _OWN_CHAT: lambda: self.run(self.chat(self._own, f"mock/{model}")),
            _RESPONSES: lambda: self.run(self.responses(self._sdk, model)),
            _OWN_RESPONSES: lambda: self.run(self.responses(self._own, f"spoken/{model}")),
        }

    async def aclose(self) -> None:
        for client in (self._http, self._sdk, self._own):
            await (client.aclose() if isinstance(client, httpx2.AsyncClient) else client.close())


@contextmanager
def _readers() -> Iterator[_Readers]:
    with upstream() as url, tempfile.TemporaryDirectory() as home:
        models = ["chunks-1", f"chunks-{_CHUNKS}", f"paced-{_PACED}", f"paced-{_PACED_SHORT}"]
        endpoint = {"apiKey": "key", "baseURL": url, "titleConvo": False, "models": {"default": models}}
        named = [{**endpoint, "name": "mock"}, {**endpoint, "name": "spoken", "useResponsesApi": True}]
        with Workbench({"endpoints": {"custom": named}}, home=Path(home)) as bench:
            readers = _Readers(url, bench)
            yield readers
            readers.loop.run_until_complete(readers.aclose())
            readers.loop.run_until_complete(readers.loop.shutdown_asyncgens())
            readers.loop.close()


def _costs(readers: _Readers, chunks: int, rounds: int) -> dict[str, float]:
    targets = readers.all(f"chunks-{chunks}")
    return _per_chunk(
        interleaved({name: partial(cpu_of, work) for name, work in targets.items()}, rounds=rounds, take=min), chunks
    )


def _paced(readers: _Readers, chunks: int, rounds: int) -> dict[str, float]:
    targets = readers.all(f"paced-{chunks}")
    named = {name: partial(cpu_of, targets[name]) for name in (_LINES, _ASYNC, _SYNC, _TYPED)}
    return _per_chunk(interleaved(named, rounds=rounds // 2 + 1, take=min), chunks)


def _per_chunk(seconds: dict[str, float], chunks: int) -> dict[str, float]:
    return {name: value / chunks * _MICRO for name, value in seconds.items()}


def _firsts(readers: _Readers, rounds: int) -> dict[str, float]:
    """Return the milliseconds from asking to the first text."""

    def until_first(work: Callable[[], None]) -> float:
        began = time.perf_counter()
        work()
        return (readers.first or 0.0) - began

    targets = readers.all("chunks-1")
    seconds = interleaved({name: partial(until_first, work) for name, work in targets.items()}, rounds=rounds)
    return {name: value * _MILLI for name, value in seconds.items()}


# -- what it means ----------------------------------------------------------------------------------------------------


def _fast(found: dict[str, float]) -> list[Figure]:
    return [
        _figure(found, _ASYNC, of=_LINES, limit=0.4),
        _figure(found, _ASYNC, of=_CHAT, limit=0.06, name=f"{_ASYNC} (of the SDK)"),
        _figure(found, _TYPED, of=_LINES, limit=0.6),
        _figure(found, _SYNC, of=_ASYNC, limit=1.5),
        _figure(found, _OWN_CHAT, of=_CHAT, limit=1.1),
        _figure(found, _OWN_RESPONSES, of=_RESPONSES, limit=1.1),
    ]


def _slow(paced: dict[str, float]) -> list[Figure]:
    named = (_ASYNC, _SYNC, _TYPED)
    return [_figure(paced, each, of=_LINES, limit=0.6, name=f"{each}, paced", steady=False) for each in named]


def _first(first: dict[str, float]) -> list[Figure]:
    wall = partial(_figure, first, unit=_WALL, limit=1, steady=False)
    return [
        wall(_ASYNC, of=_CHAT, name=f"{_ASYNC}, first token"),
        wall(_OWN_CHAT, of=_CHAT, name=f"{_OWN_CHAT}, first token"),
        wall(_OWN_RESPONSES, of=_RESPONSES, name=f"{_OWN_RESPONSES}, first token"),
    ]


def _figure(
    found: dict[str, float],
    key: str,
    *,
    of: str,
    limit: float,
    name: str = "",
    unit: str = _CPU,
    steady: bool = True,
) -> Figure:
    return Figure(name=name or key, value=found[key], unit=unit, of=of, base=found[of], limit=limit, steady=steady)


def _usage() -> list[Figure]:
    """Return how long the event loop is held up by the ledger: by each batch of chunks, and once by the row at the end.

    The row is committed, and synced, on another thread; the answer's last event waits for that, its text doesn't.
    """
    call, batch = Call(), [TextDelta(sequence_number=1, item_id="msg", output_index=0, content_index=0, delta="a")]
    watched = statistics.median(_seconds(partial(call.watch, batch)) for _ in range(_ROWS)) * _MICRO
    with tempfile.TemporaryDirectory() as folder:
        database = Database(home=Path(folder))
        handed = asyncio.run(_handed(database)) * _MICRO
        database.close()
    return [
        Figure(name="usage, on a chunk's way (p50)", value=watched, unit="µs", limit=2),
        Figure(name="usage, the row handed to its thread (p50)", value=handed, unit="µs", note="no fsync on the loop"),
    ]


async def _handed(database: Database) -> float:
    """Return the seconds after which the loop goes on."""
    found: list[float] = []
    for _ in range(_ROWS):
        write = database.write(partial(usage.append, row=example_row()))
        began = time.perf_counter()
        task = asyncio.create_task(write)
        await asyncio.sleep(0)
        found.append(time.perf_counter() - began)
        await task
    return statistics.median(found)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
