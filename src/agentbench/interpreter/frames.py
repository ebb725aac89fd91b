"""Messages over a pipe: four bytes that tell the length, then msgpack. Nothing that comes is believed to be right."""

from __future__ import annotations

from typing import IO, TypeVar

import msgspec

__all__ = ["LARGEST", "read_frame", "write_frame"]

LARGEST = 32 * 2**20
"""Bytes of a message."""

_LENGTH = 4
_T = TypeVar("_T", bound=msgspec.Struct)


def write_frame(pipe: IO[bytes], message: msgspec.Struct) -> None:
    """Send a message."""
    body = msgspec.msgpack.encode(message)
    pipe.write(len(body).to_bytes(_LENGTH, "big") + body)
    pipe.flush()


def read_frame(pipe: IO[bytes], kind: type[_T]) -> _T | None:
    """Return the next message; None if there is none of that kind, for whatever reason."""
    try:
        length = int.from_bytes(pipe.read(_LENGTH), "big")
        body = pipe.read(length) if 0 < length <= LARGEST else b""
        return msgspec.msgpack.decode(body, type=kind)
    except (OSError, ValueError, msgspec.DecodeError):
        return None
