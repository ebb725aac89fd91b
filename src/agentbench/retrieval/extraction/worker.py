"""The process that reads one file: its bytes come on standard input, its text or the reason why not goes out as JSON.

It limits itself before it looks at the file: memory, and processor time for the case that nobody is left to end it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module

import msgspec

from agentbench.errors import Unreadable
from agentbench.retrieval.extraction.readers import READERS
from agentbench.retrieval.extraction.reading import Pages, Text, assembled

__all__ = ["MISSING", "main"]

MISSING = 3
"""The status it ends with when a library that it needs isn't installed."""

_DEEPEST = 20_000  # elements in elements, of HTML for example


def main(reader: str, charset: str, memory: int, seconds: int) -> int:
    """Read a file; return the exit status. `memory` is in bytes; `charset` may be empty."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    _limit(memory, seconds)
    sys.setrecursionlimit(_DEEPEST)
    try:
        answer: Text | str = assembled(read(reader, sys.stdin.buffer.read(), charset or None))
    except Unreadable as error:
        answer = error.message
    except ImportError:
        return MISSING
    except MemoryError:
        answer = f"Reading this file takes more than {memory // 2**20:,} MiB of memory. Split it into several files."
    except Exception as error:  # noqa: BLE001 - a reader's own trouble with a file is an answer, too
        answer = f"This file can't be read: it may be damaged ({type(error).__name__}). Save it again, or convert it."
    output.write(msgspec.json.encode(answer))
    output.close()
    return 0


def read(reader: str, data: bytes, charset: str | None) -> Pages:
    """Return what the reader of that name finds in the file."""
    entry = READERS[reader]
    function = getattr(import_module(f"agentbench.retrieval.extraction.{entry.module}"), entry.function)
    found = function(data, charset) if entry.encoded else function(data)
    assert isinstance(found, Pages)  # noqa: S101 - the table of readers is ours
    return found


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: there the time limit of the other side is all
        return
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower limit stands already, or the system knows no such limit
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
