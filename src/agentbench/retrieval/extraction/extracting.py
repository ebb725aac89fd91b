"""Runs the reader of a file's format in a process of its own, which ends when it takes too long or nobody waits."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING

import anyio.to_thread
import msgspec

from agentbench.errors import MissingExtra, Unreadable
from agentbench.retrieval.extraction.encodings import decode_utf8
from agentbench.retrieval.extraction.kinds import content_type_of
from agentbench.retrieval.extraction.readers import READERS, SIMPLE, reader_of
from agentbench.retrieval.extraction.reading import assembled
from agentbench.retrieval.extraction.worker import MISSING, read
from agentbench.retrieval.values import Extracted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["extract"]

_HEAD = 8192
_SMALL = 1024 * 1024  # bytes that are decoded here; a process takes as long as 50 MB of this would
_WORKER = "agentbench.retrieval.extraction.worker"
_KEPT = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


async def extract(data: bytes | Path, name: str, content_type: str | None, *, seconds: float, memory: int) -> Extracted:
    """Return the text of a file, within that time and that many bytes of memory.

    Raises `Unreadable` with the reason why there is none; a worker is not left behind, whatever happens.
    """
    head = await anyio.to_thread.run_sync(_head, data)
    if not head:
        raise Unreadable("This file is empty.")
    reader, reason = reader_of(content_type_of(name, head, content_type))
    if reader is None:
        raise Unreadable(reason)
    if reader in SIMPLE and isinstance(data, bytes) and len(data) <= _SMALL and decode_utf8(data) is not None:
        return await anyio.to_thread.run_sync(_read_here, reader, data)
    charset = _charset(content_type) if READERS[reader].encoded else ""
    arguments = (reader, charset, str(memory), str(math.ceil(seconds) + 1))
    status, output = await _run(arguments, data, seconds)
    return _answer(status, output)


def _head(data: bytes | Path) -> bytes:
    if isinstance(data, bytes):
        return data[:_HEAD]
    with data.open("rb") as file:
        return file.read(_HEAD)


def _read_here(reader: str, data: bytes) -> Extracted:
    return msgspec.convert(assembled(read(reader, data, None)), Extracted, from_attributes=True)


def _charset(content_type: str | None) -> str:
    """Return the encoding that a content type names, if it could be the name of one."""
    _, _, named = (content_type or "").lower().partition("charset=")
    name = named.partition(";")[0].strip(" \"'")
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else ""


async def _run(arguments: tuple[str, ...], data: bytes | Path, seconds: float) -> tuple[int, bytes]:
    """Return the worker's exit status and output; it has ended when this is left, by whatever way."""
    given = data if isinstance(data, bytes) else None
    source = subprocess.PIPE if isinstance(data, bytes) else await anyio.to_thread.run_sync(data.open, "rb")
    try:
        process = _started(arguments, source)
    finally:
        if not isinstance(source, int):
            source.close()
    try:
        output = await anyio.to_thread.run_sync(_talk, process, given, seconds, abandon_on_cancel=True)
    except subprocess.TimeoutExpired:
        raise Unreadable(
            f"Reading this file takes longer than {seconds:g} s. Split it into several, or raise extractionTimeout."
        ) from None
    finally:
        process.kill()
    return process.returncode, output


def _started(arguments: tuple[str, ...], source: int | IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module; the reader's name is from our table
        [sys.executable, "-P", "-m", _WORKER, *arguments],
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(os.environ),
        start_new_session=True,  # an interrupt of a notebook's cell is not meant for it
    )


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return what Python needs to start, and nothing that is secret."""
    return {name: ours[name] for name in _KEPT if name in ours} | {"PYTHONUTF8": "1"}


def _talk(process: subprocess.Popen[bytes], given: bytes | None, seconds: float) -> bytes:
    """Return what the worker wrote; ends it, and waits until it has, when the time is over."""
    try:
        output, _ = process.communicate(given, timeout=seconds)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return output


def _answer(status: int, output: bytes) -> Extracted:
    if status == MISSING:
        raise MissingExtra("retrieval", "Working with files")
    try:
        answer = msgspec.json.decode(output, type=Extracted | str)
    except msgspec.DecodeError:
        raise Unreadable(
            "The program that reads files of this kind broke off: the file is damaged, or needs more memory or time"
            " than it may have. Save it again, convert it, or split it."
        ) from None
    if isinstance(answer, str):
        raise Unreadable(answer)
    return answer
