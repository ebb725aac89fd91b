"""The process that runs the code, from outside: started, asked, stopped. What it says is checked, and waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, sleep
from typing import IO, TYPE_CHECKING, Literal, TypeAlias

from agentbench.interpreter.frames import read_frame, write_frame
from agentbench.interpreter.values import Answer, Confinement, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_ON_DISK", "SOURCE", "CodeProcess", "Ended"]

Ended: TypeAlias = Literal["time", "disk", "died"]
"""Why there is no answer."""

MOST_ON_DISK = 2**30
"""Bytes of all files in its folders."""

SOURCE = str(Path(__file__).resolve().parents[2])
"""Where the process finds this package."""

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from agentbench.interpreter.worker import main; del sys.path[0];"
    "main(sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))"
)
_START = 60.0  # seconds to start in
_LOOK = 0.5  # seconds between two looks at the disk
_MOST_ENTRIES = 20_000
_PATIENCE = 1.0  # seconds for what should happen at once
_MOMENT = 0.3
_GLANCE = 0.02
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class CodeProcess:
    """A process in the folders `data` and `home` of `root`; it has a session of its own."""

    def __init__(self, root: Path, output: IO[bytes], *, seconds: float, memory: int) -> None:
        self.confinement: Confinement | None = None
        self._root = root
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                *(sys.executable, "-I", "-B", "-X", "utf8", "-c", _BOOT),
                *(SOURCE, str(root / "data"), str(root / "home"), str(seconds), str(memory)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=root / "data",
            env=_environment(os.environ, root / "home"),
            start_new_session=True,
        )
        self._heard: SimpleQueue[Answer | Confinement | Ended] = SimpleQueue()
        self._listener: Thread | None = None

    @property
    def status(self) -> int | None:
        """Its exit status, or the negative number of the signal that ended it; None until it is ended."""
        return self._process.returncode

    def ask(self, code: str, seconds: float) -> Answer | Ended:
        """Let it run a piece of code; the time that it takes to start doesn't count."""
        if self.confinement is None:
            self._listen(None)
            ready = self._wait(_START)
            if not isinstance(ready, Confinement):
                return "died"
            self.confinement = ready
        self._listen(Request(code=code.encode(errors="replace").decode()))
        answer = self._wait(seconds)
        return "died" if isinstance(answer, Confinement) else answer

    def end(self, *, wait: bool = False) -> None:
        """End it and all in its session; whoever waits for an answer gets none. `wait`: let it end by itself first."""
        if wait:
            self._let_end()
        if sys.platform != "win32" and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._heard.put("died")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        if self._listener:
            self._listener.join(_PATIENCE)
        if self._listener is None or not self._listener.is_alive():
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    assert pipe  # noqa: S101 - both were asked for
                    pipe.close()

    def _let_end(self) -> None:
        """Give it a moment to end, without taking notice: until then its number isn't given to another process."""
        end = monotonic() + _MOMENT
        while hasattr(os, "waitid") and self._process.returncode is None and monotonic() < end:
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            sleep(_GLANCE)

    def _listen(self, request: Request | None) -> None:
        """Send a request, if any, and hear one message, in a thread that nobody needs to wait for."""
        self._listener = Thread(target=self._exchange, args=(request,), daemon=True)
        self._listener.start()

    def _exchange(self, request: Request | None) -> None:
        assert self._process.stdin  # noqa: S101 - both were asked for
        assert self._process.stdout  # noqa: S101
        try:
            if request:
                write_frame(self._process.stdin, request)
        except (OSError, ValueError):  # it has ended, or was ended
            self._heard.put("died")
        else:
            pipe = self._process.stdout
            self._heard.put((read_frame(pipe, Answer) if request else read_frame(pipe, Confinement)) or "died")

    def _wait(self, seconds: float) -> Answer | Confinement | Ended:
        end = monotonic() + seconds
        while True:
            try:
                return self._heard.get(timeout=max(0.0, min(_LOOK, end - monotonic())))
            except Empty:
                if monotonic() >= end:
                    return "time"
            if _is_full(self._root):
                return "disk"


def _environment(ours: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return what Python and its usual packages need, and nothing that is secret."""
    own = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR"), str(home))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # each takes memory
    figures = {"MPLBACKEND": "module://agentbench.interpreter.backend"}
    return {"LANG": "C.UTF-8"} | {name: ours[name] for name in _KEPT if name in ours} | own | threads | figures


def _is_full(root: Path) -> bool:
    """Tell whether there is more in the folder than may be."""
    size, count, waiting = 0, 0, [str(root)]
    while waiting and size <= MOST_ON_DISK and count <= _MOST_ENTRIES:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:  # what the code deletes meanwhile is no matter
            for entry in entries:
                count += 1
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_size
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return size > MOST_ON_DISK or count > _MOST_ENTRIES
