"""What decoders of framed JSON have in common: broken frames fail the answer, a half one at the end doesn't."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec

from agentbench.providers.counts import without_nan

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["FrameDecoder", "Lines"]


class _Splitter(Protocol):
    """Cuts bytes that come in any pieces into frames."""

    def feed(self, chunk: bytes, /) -> list[bytes]:
        """Return the frames that these bytes complete."""

    def close(self) -> list[bytes]:
        """Return a last frame that lacks its end."""


class Lines:
    """Cuts bytes into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that these bytes complete."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return lines

    def close(self) -> list[bytes]:
        """Return what stands in a last line."""
        rest, self._rest = self._rest, b""
        return [rest]


class FrameDecoder(ABC):
    """Reads frames; a format says in `_frame` what one means, and in `_at_end` what remains at the end."""

    def __init__(self, builder: EventBuilder, splitter: _Splitter) -> None:
        self._builder = builder
        self._splitter = splitter

    def feed(self, chunk: bytes) -> list[Event]:
        out: list[Event] = []
        for frame in self._splitter.feed(chunk):
            try:
                out += self._read(frame)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._builder.fail(f"The upstream sent a broken piece: {error}.", code="upstream_garbled")
        return out

    def close(self) -> list[Event]:
        out: list[Event] = []
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # a dropped connection leaves half a frame
            for frame in self._splitter.close():
                out += self._read(frame)
        return out + self._at_end()

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
