"""A config as plain values, with the place of each key in its file.

Reading YAML is in `yaml_file.py`; what the keys mean is in `schema.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.config.problem import InvalidValueError, KeyPath, Problem, config_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.errors import ConfigError

__all__ = ["Document", "Mark", "document"]

_MOST_VALUES = 50_000
_DEEPEST = 40


class Mark(NamedTuple):
    """A place in a file; both count from 1."""

    line: int
    column: int


_TOP = Mark(1, 1)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Plain values and where they were written; `label` names the file, None if they came from Python."""

    data: object
    label: str | None = None
    folder: Path = Path()
    """Where relative paths in the config start."""
    marks: Mapping[KeyPath, Mark] = msgspec.field(default_factory=dict)

    def mark(self, path: KeyPath) -> Mark:
        """Return the place of a key, or of the nearest key above it that was written."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, _TOP)

    def origin(self, path: KeyPath) -> str:
        """Say in a few characters where a value comes from."""
        return f"{self.label}:{self.mark(path).line}" if self.label else "Python"

    def error(self, problems: Iterable[Problem]) -> ConfigError:
        """Return one error for all problems, in the file's order."""
        return config_error(sorted(problems, key=lambda problem: self.mark(problem.path)), self._where)

    def _where(self, path: KeyPath) -> str:
        return f"{self.label}:{self.mark(path).line}:{self.mark(path).column}: " if self.label else ""


def document(node: object, *, label: str | None = None, folder: Path | None = None) -> Document:
    """Copy what YAML or Python gave to plain values; raise `ConfigError` if it is endless or has odd keys."""
    copier = _Copier()
    try:
        data = copier.copy(node)
    except InvalidValueError as error:
        problems = error.problems
    else:
        return Document(data=data, label=label, folder=folder or Path(), marks=copier.marks)
    raise Document(data=None, label=label, marks=copier.marks).error(problems)


class _Copier:
    """One walk over a config, which notes places and stops at a size no honest config has."""

    def __init__(self) -> None:
        self.marks: dict[KeyPath, Mark] = {}
        self._values = 0

    def copy(self, node: object, path: KeyPath = ()) -> object:
        self._count(path)
        if isinstance(node, Mapping):
            return {self._key(key, path): self._below(node, key, path) for key in node}
        if isinstance(node, list | tuple):
            return [self._below(node, index, path) for index in range(len(node))]
        return _scalar(node)

    def _below(self, node: Any, key: str | int, path: KeyPath) -> object:
        """Copy what stands at a key or index; what YAML merged in with << has no place of its own."""
        places = getattr(getattr(node, "lc", None), "data", None) or {}
        if key in places:
            line, column = places[key][:2]
            self.marks[*path, key] = Mark(line + 1, column + 1)
        return self.copy(node[key], (*path, key))

    def _count(self, path: KeyPath) -> None:
        self._values += 1
        if self._values > _MOST_VALUES:
            problem = f"more than {_MOST_VALUES:,} values. Does an alias repeat aliases?"
            raise InvalidValueError(Problem(path[:1], problem))
        if len(path) > _DEEPEST:
            raise InvalidValueError(Problem(path[:1], f"nested more than {_DEEPEST} levels deep"))

    def _key(self, key: object, path: KeyPath) -> str:
        if not isinstance(key, str):
            raise InvalidValueError(Problem(path, "a key that isn't text; put it in quotes"))
        return str(key)


def _scalar(node: object) -> object:
    """Turn ruamel's scalars, which remember how they were written, into Python's own."""
    if isinstance(node, os.PathLike):
        return os.fspath(node)
    if isinstance(node, int) and type(node).__name__ == "ScalarBoolean":
        return bool(node)
    for kind in (bool, str, int, float):
        if isinstance(node, kind):
            return kind(node)
    return node
