"""Pacing: an answer's text in even pieces for a person who watches, however jerkily the upstream sends it.

What isn't text is never held back, and text is shown within a quarter of a second, or before what follows it. `Pieces`
decides what is shown when, and has no clock; `paced` reads ahead of the reader in a task of its own, so that a tool
call doesn't wait until the text before it has been shown. It belongs between a run and its one reader: the numbers of
the events are new.
"""

from __future__ import annotations

import asyncio
import math
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import msgspec

from agentbench.protocol.events import ReasoningDelta, RefusalDelta, SummaryDelta, TextDelta
from agentbench.runner.characters import is_within_character

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agentbench.protocol import Event

__all__ = ["Pieces", "paced", "piece_end", "piece_size"]

_DRAIN = 250.0
"""Milliseconds in which all the text that waits is shown."""

_LEAST = 4
_LONGEST_WORD = 24
_MOST = 8192
"""Characters that wait at most. More comes only from an upstream that is faster than anyone reads: it is shown."""

# Chinese, Japanese and Korean text, and pictures, can be cut anywhere.
_WORD_END = re.compile(
    r"[\s.,!?;:\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U0001f000-\U0003ffff]|\Z"
)
_Delta = TextDelta | ReasoningDelta | SummaryDelta | RefusalDelta


def piece_size(waiting: int, rate: float) -> int:
    """Return how many characters to show every `rate` milliseconds, so that those that wait are gone in 250 of them."""
    return max(_LEAST, math.ceil(waiting * rate / _DRAIN))


def piece_end(text: str, size: int) -> int:
    """Return where a piece ends: after `size` characters or, to keep a word or a character whole, some later."""
    found = _WORD_END.search(text, size - 1, size + _LONGEST_WORD)
    end = len(text) if found is None else found.end()
    while is_within_character(text, end):
        end += 1
    return end


class Pieces:
    """The text that has come and is not shown yet, and the events that may be shown at once. Times are milliseconds."""

    def __init__(self, rate: float) -> None:
        self.ready: list[Event] = []
        self._rate = rate
        self._text = ""
        self._delta: _Delta | None = None
        self._size = _LEAST
        self._due = 0.0
        self._count = 0

    def put(self, batch: Sequence[Event], now: float) -> None:
        """Take in what came. Text waits; anything else is ready, and all the text before it."""
        for event in batch:
            if isinstance(event, _Delta) and not getattr(event, "logprobs", ()):
                self._put_text(event, now)
            else:
                self.flush()
                self._show(event)
        # It doesn't shrink before all is shown: else the last pieces would take ever longer.
        self._size = max(self._size, piece_size(len(self._text), self._rate))

    def take(self, now: float) -> list[Event]:
        """Return what is to be shown by now: what is ready, and the next piece of text if it is due."""
        if self._text and now >= self._due:
            late = int((now - self._due) / self._rate)
            self._due += (1 + late) * self._rate
            self._show_text(piece_end(self._text, self._size * (1 + late)))
        out, self.ready = self.ready, []
        return out

    def wait(self, now: float) -> float:
        """Return how long it is until the next piece is due; infinite where no text waits."""
        return max(0.0, self._due - now) if self._text else math.inf

    def flush(self) -> None:
        """Make all the text ready."""
        if self._text:
            self._show_text(len(self._text))

    def _put_text(self, event: _Delta, now: float) -> None:
        if type(event) is not type(self._delta):  # raw reasoning and its summary may grow side by side
            self.flush()
        if not self._text:
            self._due = max(self._due, now)
        self._delta = event
        self._text += event.delta
        if len(self._text) > _MOST:
            self.flush()

    def _show_text(self, end: int) -> None:
        if self._delta is not None:
            self._show(msgspec.structs.replace(self._delta, delta=self._text[:end]))
            self._text = self._text[end:]
            self._size = self._size if self._text else _LEAST

    def _show(self, event: Event) -> None:
        if event.sequence_number != self._count:
            event = msgspec.structs.replace(event, sequence_number=self._count)
        self._count += 1
        self.ready.append(event)


def paced(batches: AsyncGenerator[list[Event]], rate: float) -> AsyncGenerator[list[Event]]:
    """Return a whole stream with a piece of text every `rate` milliseconds; the same generator where that is 0 or 1.

    Closing it closes `batches`, and waits for that. What they raise is raised once all before it was read.
    """
    return _paced(batches, rate) if rate > 1 else batches


async def _paced(batches: AsyncGenerator[list[Event]], rate: float) -> AsyncGenerator[list[Event]]:
    ahead = _Ahead(batches, Pieces(rate))
    try:
        while (batch := await ahead.read()) is not None:
            yield batch
    finally:
        await ahead.aclose()


class _Ahead:
    """Reads events while text waits, and no further than to the first that the reader has not taken yet.

    A plain task does it, with a scope of its own: a task group would have to be held open across the reader's `yield`,
    and a generator may be closed by another task than the one that began it.
    """

    def __init__(self, batches: AsyncGenerator[list[Event]], pieces: Pieces) -> None:
        self._batches = batches
        self._pieces = pieces
        self._error: Exception | None = None
        self._ended = False
        self._news = anyio.Event()
        self._taken = anyio.Event()
        self._scope = anyio.CancelScope()
        self._task = asyncio.create_task(self._work())

    async def read(self) -> list[Event] | None:
        """Wait for what is to be shown next; None at the end."""
        while not (out := self._pieces.take(_now())):
            if self._ended:
                if self._error is not None:
                    raise self._error
                return None
            self._news = anyio.Event()
            with anyio.move_on_after(self._pieces.wait(_now()) / 1000):
                await self._news.wait()
        self._taken.set()
        return out

    async def aclose(self) -> None:
        """End the reading ahead, and wait until what is read is closed."""
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([self._task])

    async def _put(self, batch: list[Event]) -> None:
        now = _now()
        is_first = self._pieces.wait(now) == math.inf
        self._pieces.put(batch, now)
        if is_first or self._pieces.ready:  # else the reader wakes by itself, and waking it costs more than the rest
            self._news.set()
        if self._pieces.ready:  # a person must have seen a call before being asked about it
            self._taken = anyio.Event()
            await self._taken.wait()

    async def _work(self) -> None:
        try:
            with self._scope:
                async with aclosing(self._batches) as batches:
                    async for batch in batches:
                        await self._put(batch)
        except Exception as error:  # noqa: BLE001 - it is raised to the reader
            self._error = error
        finally:
            self._pieces.flush()
            self._ended = True
            self._news.set()


def _now() -> float:
    return anyio.current_time() * 1000
