"""What code may not do on this machine; where the system can't forbid something, its test is left out and says so."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.interpreter.interpreter import Interpreter
    from agentbench.interpreter.values import Confinement

pytestmark = pytest.mark.anyio

# What the kernel says of itself: a confinement that fails where it could hold is no reason to leave a test out.
LINUX = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
FILTERS_CALLS = LINUX and Path("/proc/sys/kernel/seccomp/actions_avail").exists()
CLOSES_FILES = LINUX and ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) > 0  # the version of Landlock


@pytest.fixture
def port() -> Iterator[int]:
    """Listen on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_the_environment_holds_no_secrets(interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code sees none of our variables but those that Python needs."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary-in-a-variable")
    ran = await interpreter.run("import os; dict(os.environ)")
    assert ("MPLBACKEND" in ran.logs, "canary" in ran.logs) == (True, False)
    assert (await interpreter.run("os.path.expanduser('~')")).logs == "'/mnt/home'\n"


async def test_the_network_is_closed(interpreter: Interpreter, confinement: Confinement, port: int) -> None:
    """Not even this machine can be reached, nor a name looked up."""
    if not (FILTERS_CALLS or confinement.network):
        pytest.skip("this system can't close the network to a process")
    connected = await interpreter.run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)")
    looked_up = await interpreter.run("socket.getaddrinfo('example.org', 80)")
    assert connected.isolated
    assert ("Error" in (connected.error or ""), "gaierror" in (looked_up.error or "")) == (True, True)


async def test_other_files_are_closed(interpreter: Interpreter, confinement: Confinement, tmp_path: Path) -> None:
    """The code can neither read nor write outside its folders, nor by a link out of them."""
    if not (CLOSES_FILES or confinement.files):
        pytest.skip("this system can't close files to a process")
    secret, new = tmp_path / ".env", tmp_path / "new"
    secret.write_text("KEY=canary")
    read = await interpreter.run(f"open({str(secret)!r}).read()")
    linked = await interpreter.run(f"import os; os.symlink({str(secret)!r}, 'x'); open('x').read()")
    written = await interpreter.run(f"open({str(new)!r}, 'w')")
    assert all("PermissionError" in (each.error or "") for each in (read, linked, written))
    assert not new.exists()


async def test_our_process_is_closed(interpreter: Interpreter, confinement: Confinement) -> None:
    """The code can neither signal the process that runs it nor read its environment."""
    if not (FILTERS_CALLS or confinement.processes):
        pytest.skip("this system can't close other processes to a process")
    signalled = await interpreter.run(f"import os; os.kill({os.getpid()}, 0)")
    read = await interpreter.run(f"open('/proc/{os.getpid()}/environ').read()")
    assert all("PermissionError" in (each.error or "") for each in (signalled, read))


@pytest.mark.parametrize("code", ["os.fork()", "os.execv('/bin/true', ['x'])", "__import__('subprocess').run('true')"])
async def test_no_other_programs(interpreter: Interpreter, confinement: Confinement, code: str) -> None:
    """The code can't start programs, so that none can be left behind."""
    if not (FILTERS_CALLS or confinement.processes):
        pytest.skip("this system can't keep a process from starting others")
    assert "PermissionError" in ((await interpreter.run(f"import os; {code}")).error or "")


async def test_threads_are_allowed(interpreter: Interpreter) -> None:
    """What numpy, asyncio and the like need of the system is there."""
    code = """
import asyncio, threading
thread = threading.Thread(target=print, args=("thread",))
thread.start(); thread.join()
asyncio.run(asyncio.sleep(0, "loop"))
"""
    assert (await interpreter.run(code)).logs == "thread\n'loop'\n"
