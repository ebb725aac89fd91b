"""Server-sent events, from bytes in any pieces. HTML standard, section 9.2.6."""

from __future__ import annotations

__all__ = ["SSEDecoder"]

_BOM = b"\xef\xbb\xbf"


class SSEDecoder:
    """Collects bytes until an event is whole; returns each event's data, joined by line feeds.

    Knows all three line ends, comments and a byte order mark; event names, ids and retry times are passed over, as
    every wire format here repeats the name inside its data.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that these bytes complete."""
        if not self._begun:
            chunk = self._without_bom(chunk)
        if not chunk:
            return []
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
        self._after_cr = chunk[-1:] == b"\r"
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = (self._rest + chunk).split(b"\n")
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
