"""Amazon's binary event stream, written: a length, headers, a payload and two sums a frame."""

from __future__ import annotations

import struct
from binascii import crc32
from typing import Any

import msgspec

__all__ = ["as_frames", "frame", "raw_frame"]

_STRING = 7  # a header's type


def frame(name: str, payload: object, *, kind: str = "event") -> bytes:
    """Return one event of that type, or one exception (`kind="exception"`), with its payload as JSON."""
    body = msgspec.json.encode(payload)
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return raw_frame(headers, body)


def raw_frame(headers: dict[str, str], body: bytes) -> bytes:
    """Return a frame with these headers."""
    head = b"".join(_header(*each) for each in headers.items())
    prelude = struct.pack("!II", 12 + len(head) + len(body) + 4, len(head))
    start = prelude + struct.pack("!I", crc32(prelude)) + head + body
    return start + struct.pack("!I", crc32(start))


def as_frames(lines: bytes) -> bytes:
    """Return a recording as it was on the wire; each of its lines holds an event's or an exception's type and data."""
    read: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines.splitlines()]
    return b"".join(
        frame(each["event"], each["data"])
        if "event" in each
        else frame(each["exception"], each["data"], kind="exception")
        for each in read
    )


def _header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode()
