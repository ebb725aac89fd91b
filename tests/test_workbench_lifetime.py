"""How a workbench begins and ends: its home, its thread, and what still runs when it closes."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest
from tests.runner.fakes import HANG, FakeProvider, kinds, text_of

from agentbench import Workbench
from agentbench.errors import InvalidRequest, StorageError
from agentbench.storage.home import home_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = {
    "endpoints": {
        "scripted": {"models": {"m": [{"text": "one two three"}], "slow": [{"text": "one "}, {"wait": 60}]}},
    },
    "agents": [{"id": "bot", "endpoint": "scripted"}],
}
PROGRAM = """
from agentbench import Workbench
bench = Workbench({config!r})
{lines}
"""
# The ledger is open before the end: Python 3.12 starts no thread any more while it exits.
STREAMING = "bench.ask('Hi'); stream = bench.stream('Hi', model='scripted/slow'); [stream.read() for _ in range(2)]"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench."""
    with Workbench(CONFIG) as bench:
        yield bench


def loop_threads() -> int:
    """Count the threads of event loops."""
    return [thread.name for thread in threading.enumerate()].count("agentbench")


def statuses(home: Path) -> list[Any]:
    """Return the status of each row in a home's ledger, read without agentbench."""
    connection = sqlite3.connect(home / "agentbench.db")
    rows = connection.execute("select status from usage").fetchall()
    connection.close()
    return [status for (status,) in rows]


# -- where it keeps things ------------------------------------------------------------------------------------------


def test_home(bench: Workbench, home: Path) -> None:
    """AGENTBENCH_HOME is where the database lies."""
    bench.ask("Hi")
    assert statuses(home) == ["completed"]


def test_another_home(home: Path, tmp_path: Path) -> None:
    """An argument goes before the environment; a text is a path too."""
    for folder in (tmp_path / "one", str(tmp_path / "two")):
        with Workbench(CONFIG, home=folder) as bench:
            bench.ask("Hi")
    assert statuses(tmp_path / "one") == statuses(tmp_path / "two") == ["completed"]
    assert not home.exists()


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either it is the user's data folder."""
    monkeypatch.delenv("AGENTBENCH_HOME")
    assert home_folder({}) == platformdirs.user_data_path("agentbench", appauthor=False)
    with Workbench(CONFIG) as bench:
        assert str(home_folder({})) in repr(bench._database)


def test_a_database_url(home: Path, tmp_path: Path) -> None:
    """A URL goes before any home."""
    with Workbench(CONFIG, database_url=f"sqlite:///{tmp_path}/agentbench.db") as bench:
        bench.ask("Hi")
    assert statuses(tmp_path) == ["completed"]
    assert not home.exists()


def test_two_workbenches(tmp_path: Path) -> None:
    """Each has its own; closing one leaves the other alone."""
    with Workbench(CONFIG, home=tmp_path / "two") as two:
        with Workbench(CONFIG, home=tmp_path / "one") as one:
            one.ask("Hi")
            two.ask("Hi")
        two.ask("Hi")
        assert len(two.usage()) == 2
    assert statuses(tmp_path / "one") == ["completed"]


# -- closing --------------------------------------------------------------------------------------------------------


def test_making_one_does_nothing(home: Path) -> None:
    """No thread and no file, also when it is closed."""
    before = loop_threads()
    with Workbench(CONFIG) as bench:
        assert bench.catalog.default_agent.id == "bot"
    assert loop_threads() == before
    assert not home.exists()


def test_closing(bench: Workbench) -> None:
    """Its thread ends; a second call does nothing."""
    before = loop_threads()
    bench.ask("Hi")
    assert loop_threads() == before + 1
    bench.close()
    bench.close()
    assert loop_threads() == before


def test_use_after_closing(bench: Workbench) -> None:
    """What would ask or read says that it is closed."""
    client = bench.openai()
    bench.close()
    for use in (lambda: bench.ask("Hi"), bench.start_conversation, bench.openai, bench.async_openai):
        with pytest.raises(InvalidRequest, match=r"This workbench is closed\. Make a new one"):
            use()
    with pytest.raises(StorageError):
        bench.usage()
    with client:
        pass


def hanging(bench: Workbench) -> FakeProvider:
    """Put a provider that never ends its answer."""
    provider = FakeProvider("one ", HANG)
    made: Any = bench._providers._made
    made["scripted"] = provider
    return provider


def test_closing_while_a_stream_runs(bench: Workbench, home: Path) -> None:
    """Whoever reads it on another thread sees its end; the upstream is closed, the answer so far is counted."""
    provider = hanging(bench)
    stream = bench.stream("Hi")
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(list, stream)
        bench._loop.portal.call(provider.hung.acquire)
        bench.close()
        events = reading.result(5)
    assert text_of(events) == "one "
    assert (provider.opened, provider.closed) == (1, 1)
    assert (stream.response.status, statuses(home)) == ("incomplete", ["incomplete"])
    stream.stop()
    stream.close()


def test_closing_while_the_sdk_streams(bench: Workbench, home: Path) -> None:
    """The same for a client of the gateway."""
    provider = hanging(bench)
    with bench.openai() as client:
        messages: Any = [{"role": "user", "content": "Hi"}]
        stream = client.chat.completions.create(model="bot", messages=messages, stream=True)
        next(stream)
        bench.close()
        assert [chunk.choices[0].delta.content for chunk in stream] == ["one "]
    assert (provider.closed, statuses(home)) == (1, ["incomplete"])


def test_garbage(home: Path) -> None:
    """A workbench that nobody holds ends its thread."""
    before = loop_threads()
    bench = Workbench(CONFIG)
    bench.ask("Hi")
    del bench
    gc.collect()
    assert loop_threads() == before
    assert statuses(home) == ["completed"]


def test_a_stream_outlives_its_workbench() -> None:
    """What runs goes on for whoever reads it."""
    stream = Workbench(CONFIG).stream("Hi")
    gc.collect()
    assert kinds(list(stream))[-1] == "completed"


def test_within_an_event_loop(home: Path) -> None:
    """All of its life may pass there."""

    async def live() -> str:
        with Workbench(CONFIG) as bench:
            answer = bench.ask("Hi")
            async with bench.async_openai() as client:
                again = await client.responses.create(model="bot", input="Hi")
            return answer.output_text + again.output_text

    assert asyncio.run(live()) == "one two three" * 2
    assert statuses(home) == ["completed"] * 2


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", None),
        ("bench.ask('Hi'); bench.close()", ["completed"]),
        (STREAMING, ["completed", "incomplete"]),
        ("import atexit; bench.ask('Hi'); atexit.register(bench.close)", ["completed"]),
        ("bench.openai().responses.create(model='bot', input='Hi')", ["completed"]),
    ],
)
def test_an_interpreter_that_exits(home: Path, lines: str, expected: list[str] | None) -> None:
    """It doesn't wait for what runs, says nothing, and what was begun is counted."""
    program = PROGRAM.format(config=CONFIG, lines=lines)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (statuses(home) if home.exists() else None) == expected
