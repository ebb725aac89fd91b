"""How a growing answer is drawn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agentbench import Workbench
from agentbench.notebook import display
from agentbench.notebook.display import NotebookCanvas, TerminalCanvas, draw
from agentbench.protocol import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.notebook.display import Canvas
    from agentbench.notebook.result import Result
    from agentbench.protocol import Event

SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "words": [{"text": "word " * 100}],
    "call": [{"text": "I look."}, {"call": {"name": "look", "arguments": {"at": "sky"}}}],
    "broken": [{"text": "Half an"}, {"error": "The model fell over."}],
}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class Handle:
    """Counts what is drawn, and keeps it."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def open(self, bundle: dict[str, str], **options: Any) -> Handle:
        """Take the place of `display`: make an output."""
        assert options == {"raw": True, "display_id": True}
        assert self.drawn == []
        return self.update(bundle, raw=True)

    def update(self, bundle: dict[str, str], *, raw: bool) -> Handle:
        """Redraw the output."""
        assert raw
        self.drawn.append(bundle["text/markdown"])
        return self


class Busy(NotebookCanvas):
    """Has always something left to draw."""

    def tick(self) -> float:
        """Ask to be called again."""
        return 5.0


class Endless:
    """A stream that brings a piece when told to, until it is stopped."""

    def __init__(self, bench: Workbench) -> None:
        self.run = bench.stream("Go.", model="scripted/words").run
        self.response = self.run.response
        self.arrived = asyncio.Event()
        self.stopped = False

    async def aread(self) -> list[Event] | None:
        """Wait for a piece."""
        await self.arrived.wait()
        self.arrived.clear()
        return None if self.stopped else []

    def stop(self) -> None:
        """End with the next piece."""
        self.stopped = True
        self.arrived.set()

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock that the canvas reads."""
    clock = Clock()
    monkeypatch.setattr(display, "time", clock)
    return clock


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """Give the output that the canvas draws on."""
    handle = Handle()
    monkeypatch.setattr(display, "display", handle.open)
    return handle


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of the scripts."""
    with Workbench({"endpoints": {"scripted": {"models": SCRIPTS}}}) as bench:
        yield bench


def events_of(bench: Workbench, model: str) -> list[Event]:
    """Return a script's events."""
    return list(bench.stream("Go.", model=f"scripted/{model}"))


def drawn(bench: Workbench, model: str, canvas: Canvas) -> Result:
    """Draw a script to its end."""
    drawing = draw(bench.stream("Go.", model=f"scripted/{model}"), canvas, blocking=True)
    with pytest.raises(StopIteration) as ended:
        drawing.send(None)
    result: Result = ended.value.value
    return result


def test_a_notebook_is_updated_ten_times_a_second(bench: Workbench, clock: Clock, handle: Handle) -> None:
    """However fast pieces come, at most `rate` drawings a second follow the first sign of life."""
    canvas = NotebookCanvas(rate=10)
    for event in events_of(bench, "words"):
        canvas.feed(event)
        canvas.tick()
        clock.now += 0.01
    assert handle.drawn[0] == "…"
    assert 9 <= len(handle.drawn) - 1 <= 12


def test_what_is_left_is_due_later(bench: Workbench, clock: Clock, handle: Handle) -> None:
    """The canvas says how long to wait for what isn't drawn yet, and draws it then."""
    canvas = NotebookCanvas(rate=10)
    first, second, *_ = [event for event in events_of(bench, "words") if isinstance(event, ev.TextDelta)]
    canvas.feed(first)
    assert canvas.tick() is None
    canvas.feed(second)
    assert canvas.tick() == pytest.approx(0.1)
    clock.now += 0.11
    assert canvas.tick() is None
    assert handle.drawn == ["word", "word word"]


def test_the_last_state_is_drawn(bench: Workbench, handle: Handle) -> None:
    """The whole answer with its summary line is what stays, whenever the last drawing was."""
    result = drawn(bench, "words", NotebookCanvas(rate=0.1))
    assert handle.drawn[-1] == result._repr_mimebundle_()["text/markdown"]
    assert handle.drawn[-1].count("word ") >= 99


def test_a_failure_stays_below_what_came(bench: Workbench, handle: Handle) -> None:
    """A partial answer is kept, with the reason why it is partial."""
    drawn(bench, "broken", NotebookCanvas(rate=10))
    assert handle.drawn[-1].startswith("Half an\n\n*Broke off: The model fell over.*\n\n<sub>")


@pytest.mark.parametrize("steps", range(6))
def test_an_interrupt_is_never_lost(bench: Workbench, handle: Handle, steps: int) -> None:
    """However close to a piece an interrupt comes, it stops the answer and not what follows."""
    stream: Any = Endless(bench)

    async def interrupted() -> None:
        drawing = asyncio.create_task(draw(stream, Busy(rate=10), blocking=False))
        await asyncio.sleep(0)
        stream.arrived.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        drawing.cancel()
        await asyncio.wait([drawing], timeout=2)
        assert drawing.done()
        assert drawing.cancelling() == 0

    asyncio.run(interrupted())
    assert stream.stopped


def test_a_terminal_prints_pieces(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    """Pieces are printed as they come, then the summary line."""
    result = drawn(bench, "words", TerminalCanvas())
    text, _, summary = capsys.readouterr().out.partition("\n")
    assert text == result.text
    assert summary.startswith("— scripted/words · ")


def test_a_piece_is_printed_at_once(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing waits for the end of a line."""
    canvas = TerminalCanvas()
    canvas.feed(next(event for event in events_of(bench, "words") if isinstance(event, ev.TextDelta)))
    assert capsys.readouterr().out.strip() == "word"
    assert canvas.tick() is None


def test_a_terminal_shows_calls(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    """A call is a line of its own: the function's name and its arguments, as a result shows it."""
    drawn(bench, "call", TerminalCanvas())
    assert capsys.readouterr().out.splitlines()[:2] == ["I look.", 'look({"at":"sky"})']


def test_a_terminal_says_why_it_ends_early(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason comes on its own line."""
    drawn(bench, "broken", TerminalCanvas())
    assert capsys.readouterr().out.splitlines()[:2] == ["Half an", "(Broke off: The model fell over.)"]
