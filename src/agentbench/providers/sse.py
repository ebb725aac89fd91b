"""Server-sent events, from bytes in any pieces. HTML standard, section 9.2.6."""

from __future__ import annotations

from agentbench.errors import UpstreamGarbled

__all__ = ["LONGEST_EVENT", "LineFeeds", "Rest", "SSEDecoder"]

LONGEST_EVENT = 32 * 1024 * 1024
"""Bytes of an event or a line: a picture fits, and memory stays."""

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


class Rest:
    """The bytes of what isn't whole yet; raises `UpstreamGarbled` where that gets too long."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Put bytes to it."""
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
        if self._size > LONGEST_EVENT:
            self.take()
            raise UpstreamGarbled(
                f"The upstream sent an event of more than {LONGEST_EVENT // 2**20} MiB. Ask for less."
            )

    def take(self, *last: bytes) -> bytes:
        """Return all of it, with the last bytes of it, and begin anew."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        return b"".join((*pieces, *last))

    def ends_with(self, end: bytes) -> bool:
        """Tell whether one byte is its last."""
        return bool(self._pieces) and self._pieces[-1].endswith(end)


class SSEDecoder:
    """Collects bytes until an event is whole; returns each event's data, joined by line feeds.

    Knows all three line ends, comments and a byte order mark; event names, ids and retry times are passed over, as
    every wire format here repeats the name inside its data.
    """

    def __init__(self) -> None:
        self._rest = Rest()  # an event that isn't whole yet
        self._line_feeds = LineFeeds()
        self._begun = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that these bytes complete."""
        if not self._begun:
            chunk = self._without_bom(chunk)
        if not (chunk := self._line_feeds.feed(chunk)):
            return []
        if b"\n\n" not in chunk and not (chunk.startswith(b"\n") and self._rest.ends_with(b"\n")):
            self._rest.add(chunk)
            return []
        events, _, rest = self._rest.take(chunk).rpartition(b"\n\n")
        self._rest.add(rest)
        return _events(events)

    def close(self) -> list[bytes]:
        """Return the data of a last event that lacks its blank line, whole or not."""
        rest = self._rest.take()
        return [] if (data := _data(rest)) is None else [data]

    def _without_bom(self, chunk: bytes) -> bytes:
        chunk = self._rest.take(chunk)
        if _BOM.startswith(chunk):
            self._rest.add(chunk)
            return b""
        self._begun = True
        return chunk.removeprefix(_BOM)


def _events(text: bytes) -> list[bytes]:
    """Return the data of whole events."""
    if text.startswith(b"data: "):
        found = text[6:].split(b"\n\ndata: ")
        if text.count(b"\n") == 2 * len(found) - 2:  # each is one line of data: most servers send nothing else
            return found
    return [data for event in text.split(b"\n\n") if event and (data := _data(event)) is not None]


def _data(event: bytes) -> bytes | None:
    """Return the data among an event's lines; None if there is none."""
    name, _, data = event.partition(b"\n")
    if name.startswith(b"event:") and data.startswith(b"data: ") and b"\n" not in data:
        return data[6:]
    lines = [line.removeprefix(b"data:") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(line.removeprefix(b" ") for line in lines) if lines else None
