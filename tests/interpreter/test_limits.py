"""Code that takes too much, breaks its process, or doesn't end: there is an answer, and nothing is left."""

from __future__ import annotations

import os
import sys
from time import monotonic
from typing import TYPE_CHECKING

import anyio
import pytest

from agentbench.interpreter import process
from agentbench.interpreter.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio

POSIX = pytest.mark.skipif(os.name == "nt", reason="the system has no such limits, or sessions")
ENDLESS = "while True: pass"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give interpreters a place of their own, to see what they leave there."""
    folder = tmp_path / "folders"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


async def test_time() -> None:
    """A run over its time is stopped and says so; what it printed is kept, its variables aren't, its files are."""
    async with Interpreter(seconds=0.5, memory=512) as interpreter:
        await interpreter.run("x = 1; open('kept', 'w').close()")
        started = monotonic()
        ran = await interpreter.run(f"print('so far')\n{ENDLESS}")
        assert (ran.timed_out, ran.logs, monotonic() - started < 10) == (True, "so far\n", True)
        assert "longer than 0.5 s" in (ran.error or "")
        after = await interpreter.run("import os\n'x' in globals(), os.listdir()")
        assert after.logs == "[Python was started anew: earlier variables are gone.]\n(False, ['kept'])\n"
        assert (await interpreter.run("1")).logs == "1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't hold a process to its memory")
async def test_memory(interpreter: Interpreter) -> None:
    """More memory than allowed is a MemoryError, also where pages are shared; the variables stay."""
    ran = await interpreter.run("x = 1\nb = bytearray(600 * 2**20)")
    assert (ran.error or "").splitlines()[-1] == "MemoryError"
    assert "Cannot allocate memory" in ((await interpreter.run("import mmap; mmap.mmap(-1, 2**31)")).error or "")
    assert (await interpreter.run("x")).logs == "1\n"


@POSIX
async def test_output_without_end(interpreter: Interpreter) -> None:
    """Printing for ever is stopped; beginning and end of what was printed are kept, and the next run prints again."""
    ran = await interpreter.run("n = 0\nwhile True:\n    print(n, '-' * 100_000)\n    n += 1")
    assert (ran.logs.startswith("0 ---"), ran.timed_out) == (True, False)
    assert (2_000 < len(ran.logs) < 2_100, "[The middle is left out" in ran.logs) == (True, True)
    assert (await interpreter.run("1")).logs == "1\n"


async def test_output_of_many_sources(interpreter: Interpreter) -> None:
    """What is written past Python's own `print`, bytes without meaning as well, is in the logs."""
    ran = await interpreter.run("import os, sys\nos.write(1, b'\\xff raw\\n')\nprint('err', file=sys.stderr)")
    assert ran.logs == "\ufffd raw\nerr\n"


async def test_too_many_files(interpreter: Interpreter) -> None:
    """Twenty files come back; the others are named."""
    ran = await interpreter.run("for n in range(22): open(f'{n:02}.txt', 'w').close()")
    assert ([f"{n:02}.txt" for n in range(20)], True) == (
        [each.name for each in ran.files],
        "20.txt, 21.txt" in ran.logs,
    )


async def test_too_large_a_file(interpreter: Interpreter) -> None:
    """A file over what may come back is named, and the smaller one after it comes."""
    ran = await interpreter.run("open('a.bin', 'wb').truncate(21 * 2**20); open('b.bin', 'wb').write(b'x')")
    assert ([each.name for each in ran.files], "a.bin" in ran.logs) == (["b.bin"], True)


@POSIX
async def test_too_much_on_the_disk(interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fills the disk is stopped before its time is over."""
    monkeypatch.setattr(process, "MOST_ON_DISK", 2**20)
    ran = await interpreter.run(f"open('big', 'wb').truncate(2**22)\n{ENDLESS}")
    assert ("more than" in (ran.error or ""), ran.timed_out) == (True, False)


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os; os.closerange(0, 200)",
        "import os\nfor fd in range(3, 9):\n  try: os.write(fd, b'\\xff' * 1000)\n  except OSError: pass",
        "import agentbench.interpreter.worker as w; w.answered = lambda *_: None",
    ],
    ids=["exit", "signal", "closed", "garbage", "no answer"],
)
async def test_a_broken_process(interpreter: Interpreter, code: str) -> None:
    """Code that ends or breaks its own process gets an error, and the next run a new process."""
    ran = await interpreter.run(code)
    assert (ran.error or "").startswith("Python ended before the code did")
    assert (await interpreter.run("1")).logs.endswith("anew: earlier variables are gone.]\n1\n")


async def test_an_answer_too_large_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A length that no answer has isn't waited for, nor is a kind of message that nobody asked for."""
    said = "import sys, time; sys.stdout.buffer.write(b'\\xff' * 9); sys.stdout.flush(); time.sleep(60)"
    monkeypatch.setattr(process, "_BOOT", said)
    async with Interpreter(seconds=20, memory=512) as interpreter:
        assert (await interpreter.run("1")).error is not None
        assert interpreter.confinement is None


async def test_input_is_empty(interpreter: Interpreter) -> None:
    """Code that asks for input isn't waited for."""
    assert "EOFError" in ((await interpreter.run("input()")).error or "")


async def test_exit_is_no_error(interpreter: Interpreter) -> None:
    """`exit` ends the run and nothing else."""
    assert (await interpreter.run("import sys; x = 1; sys.exit()")).error is None
    assert (await interpreter.run("x")).logs == "1\n"


async def test_cancelling_ends_the_process(interpreter: Interpreter) -> None:
    """A cancelled run is stopped at once, and the interpreter can be used on."""
    started = monotonic()
    with anyio.move_on_after(0.3):
        await interpreter.run(ENDLESS)
    assert monotonic() - started < 10
    assert (await interpreter.run("1")).logs.endswith("1\n")


async def test_nothing_is_left(folders: Path) -> None:
    """Closing ends a run that is going on, and deletes all files, also where the code has taken rights away."""
    interpreter = Interpreter(seconds=20, memory=512)
    await interpreter.put("a", b"a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(interpreter.run, f"import os\nos.makedirs('d/e')\nos.chmod('d', 0)\n{ENDLESS}")
        await until(lambda: list(folders.glob("*/data/d")))
        await interpreter.aclose()
    assert names_in(folders) == []


@POSIX
async def test_programs_that_it_started_end_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system lets code start programs, those end with it."""
    pid, code = tmp_path / "pid", "import time; time.sleep(60)"
    boot = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {code!r}])"
    monkeypatch.setattr(process, "_BOOT", f"{boot}; open({str(pid)!r}, 'w').write(str(p.pid)); p.wait()")
    async with Interpreter(seconds=20, memory=512) as interpreter, anyio.create_task_group() as tasks:
        tasks.start_soon(interpreter.run, "1")
        await until(lambda: pid.exists() and pid.read_text())
        assert is_running(int(pid.read_text()))
        tasks.cancel_scope.cancel()
    await until(lambda: not is_running(int(pid.read_text())))


def names_in(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return [each.name for each in folder.iterdir()]


async def until(happened: Callable[[], object]) -> None:
    """Wait for what another process does."""
    while not happened():  # noqa: ASYNC110 - nobody tells us
        await anyio.sleep(0.02)


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not just waiting to be buried by its parent."""
    psutil = pytest.importorskip("psutil")
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
