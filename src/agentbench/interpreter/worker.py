"""The process that runs the code: requests come on standard input, answers go out on standard output.

Before it runs anything both are put out of the code's sight, and what the code prints goes to standard error, which
is a file. It limits itself first, and tells by its first message what else the system forbids it.
"""

from __future__ import annotations

import io
import math
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from agentbench.interpreter.cells import Cells
from agentbench.interpreter.confining import confine
from agentbench.interpreter.figures import taken
from agentbench.interpreter.folder import answered, state_of
from agentbench.interpreter.frames import read_frame, write_frame
from agentbench.interpreter.values import Answer, Request

__all__ = ["main"]

_GRACE = 5  # seconds after which it ends by itself, when nobody is left to end it


def main(folder: str, home: str, seconds: float, memory: int) -> None:
    """Serve until there are no more requests. The code works in `folder`; it may write there and in `home` only."""
    requests, answers = _apart()
    ready = confine((folder, home), memory)
    sys.path.insert(0, folder)
    sys.argv = [""]
    write_frame(answers, ready)
    cells = Cells(Path(folder).as_posix())
    while (request := read_frame(requests, Request)) is not None:
        _alarm(math.ceil(seconds) + _GRACE)
        write_frame(answers, _run(cells, request.code, folder))
        _alarm(0)
    os._exit(0)  # without waiting for threads that the code has left


def _apart() -> tuple[IO[bytes], IO[bytes]]:
    """Return our side of the pipes; the code finds an empty input, and a file for both outputs."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for output in (sys.stdout, sys.stderr):
        assert isinstance(output, io.TextIOWrapper)  # noqa: S101 - so Python starts
        output.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    if hasattr(os, "register_at_fork"):  # else a program that the code leaves behind would hold them open
        os.register_at_fork(after_in_child=lambda: os.closerange(requests.fileno(), answers.fileno() + 1))
    return requests, answers


def _alarm(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _run(cells: Cells, code: str, folder: str) -> Answer:
    before = state_of(folder)
    error = cells.run(code)
    figures: list[bytes] = []
    try:
        figures = taken()
    except Exception as trouble:  # noqa: BLE001 - a figure that can't be drawn
        error = error or f"{type(trouble).__name__}: {trouble}"
    for output in (sys.stdout, sys.stderr):
        with suppress(Exception):  # whatever the code has put there
            output.flush()
    return answered(error, figures, folder, before)
