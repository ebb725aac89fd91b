"""Draws a stream as it comes: as Markdown that grows in a notebook's output, or as text in a terminal.

An interrupt stops the answer, not the notebook: the upstream is closed, what came stays, and the cell goes on. A
second interrupt in the same cell ends that, as it ends any other.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from IPython.core.display_functions import display

from agentbench.notebook import markdown
from agentbench.notebook.blocks import Block, Growing, blocks_of
from agentbench.notebook.result import Result
from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall
from agentbench.runner.documents import is_search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from IPython.core.display_functions import DisplayHandle

    from agentbench.protocol import Event
    from agentbench.workbench import Stream

__all__ = ["INTERRUPTS", "Canvas", "NotebookCanvas", "TerminalCanvas", "draw", "taking_interrupts"]

INTERRUPTS = (KeyboardInterrupt, asyncio.CancelledError)
"""What an interrupt is raised as: in code that blocks, and in a task."""


class Canvas(Protocol):
    """Where an answer is drawn."""

    def feed(self, event: Event) -> None:
        """Take in an event; draw now or later."""

    def tick(self) -> float | None:
        """Draw what is due; return in how many seconds the rest is, None if there is none."""

    def finish(self, result: Result) -> None:
        """Draw the final state, which is what stays."""


class NotebookCanvas:
    """One output of a cell, updated at most `rate` times a second."""

    def __init__(self, rate: float) -> None:
        self._pause = 1 / rate
        self._growing = Growing()
        self._handle: DisplayHandle | None = None
        self._dirty = False
        self._next = 0.0

    def feed(self, event: Event) -> None:
        """Note what is new; the first event makes the output, so that the reader sees that an answer is coming."""
        if self._growing.feed(event):
            self._dirty = True
        elif isinstance(event, ev.ResponseCreated):
            self._show(markdown.bundle([Block("text", "…")]))

    def tick(self) -> float | None:
        """Redraw if something is new and the last drawing is long enough ago."""
        if not self._dirty:
            return None
        now = time.monotonic()
        if now < self._next:
            return self._next - now
        self._show(markdown.bundle(self._growing.blocks))
        self._next = time.monotonic() + self._pause
        self._dirty = False
        return None

    def finish(self, result: Result) -> None:
        """Replace the drawing by the whole answer, which is what the notebook stores."""
        self._show(result._repr_mimebundle_())

    def _show(self, bundle: dict[str, str]) -> None:
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class TerminalCanvas:
    """Standard output: the answer's pieces as they come, then its summary line."""

    def __init__(self) -> None:
        self._line_open = False

    def feed(self, event: Event) -> None:
        """Print the piece."""
        match event:
            case ev.TextDelta() | ev.RefusalDelta():
                self._write(event.delta)
            case ev.ItemDone():
                if self._line_open:
                    self._write("\n")
                if isinstance(event.item, FunctionCall) and not is_search(event.item):
                    self._write(f"{markdown.plain(blocks_of([event.item]))}\n")
            case _:
                pass

    def tick(self) -> float | None:
        """Nothing is ever due: pieces are printed at once."""
        return None

    def finish(self, result: Result) -> None:
        """Print why it stopped, if early, and the summary line."""
        said = {"search", "source"}
        about = [block for block in blocks_of(result.response.output) if block.kind in said]
        bundle = markdown.plain(about, note=result.note, row=result.usage)
        self._write(f"{bundle}\n")

    def _write(self, text: str) -> None:
        self._line_open = not text.endswith("\n")
        print(text, end="", flush=True)  # noqa: T201 - this is the terminal's canvas


@contextmanager
def taking_interrupts(*, blocking: bool) -> Iterator[None]:
    """Take every interrupt: ipykernel cancels a cell only once, and one that goes on could not be stopped again.

    Each cancels the task that runs now; one that is `blocking` is interrupted as ever.
    """
    usual = signal.getsignal(signal.SIGINT)
    task = asyncio.current_task() if not blocking else None
    if task is None or usual is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(_number: int, _frame: FrameType | None) -> None:
        task.get_loop().call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


class _Drawing:
    """One answer being drawn."""

    def __init__(self, stream: Stream, canvas: Canvas, *, blocking: bool, interrupted: bool, told: str | None) -> None:
        self._stream = stream
        self._blocking = blocking
        self._canvas = canvas
        self._events: list[Event] = []
        self._times: list[float] = []
        self._start = time.perf_counter()
        self._interrupted = interrupted
        self._told = told

    async def run(self) -> Result:
        try:
            with taking_interrupts(blocking=self._blocking):
                while await self._step():
                    pass
        finally:
            self._stream.close()
        run = self._stream.run
        limit = run.target.endpoint.max_tool_result_chars
        warning = None if run.warning == self._told else run.warning
        result = Result(run.response, run.row, self._events, self._times, limit=limit, warning=warning)
        self._canvas.finish(result)
        return result

    async def _step(self) -> bool:
        try:
            batch = await self._read(self._canvas.tick())
        except TimeoutError:
            return True
        except INTERRUPTS as interrupt:
            if self._interrupted:
                raise
            self._interrupted = True
            if isinstance(interrupt, asyncio.CancelledError) and (task := asyncio.current_task()):
                task.uncancel()
            self._stream.stop()
            return True
        if batch is None:
            return False
        for event in batch:
            self._events.append(event)
            self._times.append(time.perf_counter() - self._start)
            self._canvas.feed(event)
        return True

    async def _read(self, seconds: float | None) -> list[Event] | None:
        if self._blocking:
            return self._stream.read(seconds)
        async with asyncio.timeout(seconds):  # `wait_for` loses an interrupt that comes together with a piece
            return await self._stream.aread()


async def draw(
    stream: Stream, canvas: Canvas, *, blocking: bool, interrupted: bool = False, told: str | None = None
) -> Result:
    """Draw a stream until its end and return what it told. An error before its first event is raised.

    `blocking` holds up this thread, event loop and all, between events. `interrupted` says that an interrupt has come
    in this cell before, so that the next one is not forgiven; `told` is the warning that was shown last.
    """
    return await _Drawing(stream, canvas, blocking=blocking, interrupted=interrupted, told=told).run()
