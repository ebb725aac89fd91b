"""`Interpreter`: Python that a model wrote, run in a process and a folder of its own, with limits."""

from __future__ import annotations

import mimetypes
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import msgspec

from agentbench.interpreter.folder import MOST_BYTES, MOST_FILES
from agentbench.interpreter.output import Output, shortened
from agentbench.interpreter.process import MOST_ON_DISK, SOURCE, CodeProcess, Ended
from agentbench.interpreter.values import SHOWN, Answer, Confinement, Made, Ran

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["Interpreter"]

_PARENT = str(PurePosixPath(SHOWN).parent)
_PYTHON = "/python"
_ANEW = "[Python was started anew: earlier variables are gone.]\n"
_LONGEST_NAMES = 2_000
_LONGEST_NAME = 200
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")


class Interpreter:
    """Runs pieces of code one after another; their variables and files stay until one is stopped, or until `aclose`.

    Each run may take `seconds` and as many megabytes as `memory` says, of which Python with pandas and matplotlib
    needs about 170; `output` characters of what it prints are kept. On Linux the code has no network, can't start
    programs, and reads nothing but its folder, Python and the system's libraries, as far as the kernel knows how
    (`confinement` tells after the first run). Elsewhere only time, memory and output are limited: it then reads and
    writes all that the user of this process may, so that it should stay off where the model isn't trusted.
    """

    def __init__(self, *, seconds: float, memory: int, output: int = 100_000) -> None:
        self.confinement: Confinement | None = None
        self._seconds, self._memory, self._limit = seconds, memory, output
        self._root: Path | None = None
        self._output: Output | None = None
        self._process: CodeProcess | None = None
        self._anew = False
        self._lock = anyio.Lock()

    @property
    def isolated(self) -> bool:
        """Whether the network is closed to the code; False until something has run."""
        return self.confinement is not None and self.confinement.network

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def put(self, name: str, data: bytes) -> None:
        """Put a file into the working folder, in place of one of the same name; folders in the name don't count."""
        async with self._lock:
            await anyio.to_thread.run_sync(self._put, _last(name), data)

    async def run(self, code: str) -> Ran:
        """Run a piece of code; whatever it does, this returns soon after its time is over."""
        async with self._lock:
            process, output = await anyio.to_thread.run_sync(self._started)
            alone = anyio.CapacityLimiter(1)  # code takes long, and the threads for all else are few
            try:
                answer = await anyio.to_thread.run_sync(
                    process.ask, code, self._seconds, abandon_on_cancel=True, limiter=alone
                )
                self.confinement = process.confinement
            except BaseException:  # cancelled, above all
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._stop)
                raise
            return await anyio.to_thread.run_sync(self._ran, process, answer, output)

    async def aclose(self) -> None:
        """End the process, also in the midst of a run, and delete its files."""
        with anyio.CancelScope(shield=True):
            if self._process:
                await anyio.to_thread.run_sync(self._process.end)
            async with self._lock:
                await anyio.to_thread.run_sync(self._close)

    def _put(self, name: str, data: bytes) -> None:
        root = self._opened()
        waiting = root / "file"  # the code can't make a link of it, as it could of the name in its folder
        waiting.write_bytes(data)
        (root / "data").mkdir(exist_ok=True)
        waiting.replace(root / "data" / name)

    def _opened(self) -> Path:
        """Return the folder of it all, which is made on first use."""
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="agentbench-")).resolve()
            for name in ("data", "home"):
                (self._root / name).mkdir()
        return self._root

    def _started(self) -> tuple[CodeProcess, Output]:
        """Return the process, a new one if there is none, and what it prints from now on."""
        root = self._opened()
        if self._output is None:
            self._output = Output(root / "output")
        self._output.begin()
        if self._process is None:
            self._process = CodeProcess(root, self._output.writer, memory=self._memory, seconds=self._seconds)
        return self._process, self._output

    def _ran(self, process: CodeProcess, answer: Answer | Ended, output: Output) -> Ran:
        if isinstance(answer, str):
            process.end(wait=answer == "died")
            error = self._ending(answer, process.status)
            ran = Ran(logs="", error=error, timed_out=answer == "time", isolated=self.isolated)
        else:
            ran = self._made(answer)
        note = _ANEW if self._anew else ""
        self._anew = isinstance(answer, str)
        if self._anew:
            self._process = None
        logs = note + shortened(self._masked(output.text(self._limit)), self._limit) + _unreturned(answer)
        return msgspec.structs.replace(ran, logs=logs)

    def _made(self, answer: Answer) -> Ran:
        pictures = [
            Made(name=f"figure-{n}.png", data=d, content_type="image/png") for n, d in enumerate(answer.figures, 1)
        ]
        written = [
            Made(name=e.name, data=e.data, content_type=_kind(e.name)) for e in answer.written if _is_path(e.name)
        ]
        return Ran(
            logs="",
            error=shortened(self._masked(answer.error), self._limit) if answer.error else None,
            isolated=self.isolated,
            images=(*pictures, *(each for each in written if each.name.lower().endswith(_PICTURES))),
            files=tuple(each for each in written if not each.name.lower().endswith(_PICTURES)),
        )

    def _ending(self, ended: Ended, status: int | None) -> str:
        happened = {
            "time": f"The code took longer than {self._seconds:g} s and was stopped.",
            "disk": f"The code wrote more than {MOST_ON_DISK // 2**20} MB and was stopped.",
            "died": f"Python ended before the code did ({_status(status)}).",
        }
        return f"{happened[ended]} Its variables are gone; files in {SHOWN} are kept."

    def _masked(self, text: str) -> str:
        """Return a text without the paths of this machine."""
        ours = str(self._root)
        for path in (ours, ours.replace("\\", "\\\\"), ours.replace("\\", "/")):
            text = text.replace(path, _PARENT)
        for path in sorted({sys.prefix, sys.base_prefix, SOURCE} - {"/", "/usr", "/usr/local"}, key=len):
            text = text.replace(path, _PYTHON)
        return text

    def _stop(self) -> None:
        """End the process; the next run begins anew."""
        if self._process:
            self._process.end()
            self._process, self._anew = None, True

    def _close(self) -> None:
        self._stop()
        if self._output:
            self._output.close()
            self._output = None
        if self._root:
            _delete(self._root)
            self._root = None


def _unreturned(answer: Answer | Ended) -> str:
    if isinstance(answer, str) or not answer.left_out:
        return ""
    names = shortened(", ".join(answer.left_out), _LONGEST_NAMES)
    most = f"{MOST_FILES} files and {MOST_BYTES // 2**20} MB"
    return f"\n[Not returned, for a run returns at most {most}: {names}]\n"


def _last(name: str) -> str:
    """Return the last part of a path, as a file can be called."""
    last = name.replace("\\", "/").rpartition("/")[2].replace("\0", "")
    short = last.encode(errors="replace")[-_LONGEST_NAME:].decode(errors="ignore")
    return "file" if short in {"", ".", ".."} else short


def _status(status: int | None) -> str:
    return f"signal {-status}" if status is not None and status < 0 else f"status {status}"


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _is_path(name: str) -> bool:
    """Tell whether that is a path in a folder, and fit to be shown."""
    path = PurePosixPath(name)
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable() and not path.is_absolute() and ".." not in path.parts


def _delete(root: Path) -> None:
    """Delete a folder that no process uses any more, also where the code has taken rights away."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with suppress(OSError):
            folder.chmod(0o700)
            waiting += [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    with suppress(RecursionError):  # folders in folders, thousands deep
        shutil.rmtree(root, ignore_errors=True)
