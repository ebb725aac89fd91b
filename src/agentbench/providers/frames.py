"""What decoders of framed JSON have in common: broken frames fail the answer, a half one at the end doesn't."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from agentbench.providers.counts import without_nan
from agentbench.providers.sse import Rest

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["BROKEN", "FrameDecoder", "Lines", "fail_broken", "read_together"]

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a frame that can't be read raises; it may be nested too deep."""

T = TypeVar("T")


class _Splitter(Protocol):
    """Cuts bytes that come in any pieces into frames."""

    def feed(self, chunk: bytes, /) -> list[bytes]:
        """Return the frames that these bytes complete."""

    def close(self) -> list[bytes]:
        """Return a last frame that lacks its end."""


class Lines:
    """Cuts bytes into lines."""

    def __init__(self) -> None:
        self._rest = Rest()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that these bytes complete, without blank ones."""
        if b"\n" not in chunk:
            self._rest.add(chunk)
            return []
        *lines, rest = self._rest.take(chunk).split(b"\n")
        self._rest.add(rest)
        return [line for line in lines if line]

    def close(self) -> list[bytes]:
        """Return what stands in a last line."""
        return [self._rest.take()]


def fail_broken(builder: EventBuilder, error: Exception) -> None:
    """Fail the answer because of a frame that can't be read, unless the answer has ended."""
    if builder.outcome is None:
        builder.fail(f"The upstream sent a broken piece: {error}.", code="upstream_garbled")


class FrameDecoder(ABC):
    """Reads frames; a format says in `_frame` what one means, and in `_at_end` what remains at the end."""

    def __init__(self, builder: EventBuilder, splitter: _Splitter) -> None:
        self._builder = builder
        self._splitter = splitter

    def feed(self, chunk: bytes) -> list[Event]:
        return self._frames(self._splitter.feed(chunk))

    def _frames(self, frames: list[bytes]) -> list[Event]:
        out: list[Event] = []
        for frame in frames:
            try:
                out += self._read(frame)
            except BROKEN as error:
                fail_broken(self._builder, error)
        return out

    def flush(self) -> list[Event]:
        """Return the events of what came last, if it lacks nothing but its end."""
        out: list[Event] = []
        with suppress(*BROKEN):  # a dropped connection leaves half a frame
            for frame in self._splitter.close():
                out += self._read(frame)
        return out

    def close(self) -> list[Event]:
        return self.flush() + self._at_end()

    def _read(self, frame: bytes) -> list[Event]:
        try:
            return self._frame(frame)
        except msgspec.DecodeError:
            if (plain := without_nan(frame)) is None:
                raise
            return self._frame(plain)

    @abstractmethod
    def _frame(self, frame: bytes) -> list[Event]:
        """Return the events of one frame; raise msgspec's errors if it is broken."""

    def _at_end(self) -> list[Event]:
        """Return the events that end the call."""
        return self._builder.close_items("completed" if self._builder.outcome == "completed" else "incomplete")


def read_together(frames: list[bytes], decoder: msgspec.json.Decoder[T]) -> list[T] | None:
    """Return what frames hold, read in one go; None if one of them isn't as it should be, and each is to be read."""
    try:
        values = decoder.decode_lines(b"\n".join(frames))
    except BROKEN:
        return None
    return values if len(values) == len(frames) else None
