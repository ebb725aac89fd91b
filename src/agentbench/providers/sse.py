"""Server-sent events, from bytes in any pieces. HTML standard, section 9.2.6."""

from __future__ import annotations

__all__ = ["LineFeeds", "SSEDecoder"]

_BOM = b"\xef\xbb\xbf"


class LineFeeds:
    """Makes each of the three line ends a line feed, in bytes that come in any pieces."""

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the next bytes, with line feeds alone."""
        if not chunk:
            return chunk
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
        self._after_cr = chunk[-1:] == b"\r"
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk


class SSEDecoder:
    """Collects bytes until an event is whole; returns each event's data, joined by line feeds.

    Knows all three line ends, comments and a byte order mark; event names, ids and retry times are passed over, as
    every wire format here repeats the name inside its data.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._line_feeds = LineFeeds()
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that these bytes complete."""
        if not self._begun:
            chunk = self._without_bom(chunk)
        *lines, self._rest = (self._rest + self._line_feeds.feed(chunk)).split(b"\n")
        return self._events(lines)

    def close(self) -> list[bytes]:
        """Return the data of a last event that lacks its blank line, whole or not."""
        lines, self._rest = [self._rest, b""], b""
        return self._events(lines)

    def _without_bom(self, chunk: bytes) -> bytes:
        chunk, self._rest = self._rest + chunk, b""
        if _BOM.startswith(chunk):
            self._rest = chunk
            return b""
        self._begun = True
        return chunk.removeprefix(_BOM)

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(b"\n".join(self._data))
                    self._data = []
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        return events
