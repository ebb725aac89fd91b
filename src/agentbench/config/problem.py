"""What is wrong with a config, and at which key: the one shape that every check reports in.

Turning problems into a message happens here; finding them does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["InvalidValueError", "KeyPath", "Problem", "config_error", "spell"]

KeyPath: TypeAlias = tuple[str | int, ...]

_MOST = 10


class Problem(msgspec.Struct, frozen=True):
    """One thing to correct; `text` never holds the value itself, which may be a secret."""

    path: KeyPath
    text: str


class InvalidValueError(ValueError):
    """A value holds problems below itself; their paths start at that value."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = problems


def spell(path: KeyPath) -> str:
    """Write a path as people do: `endpoints.custom[0].baseURL`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def config_error(problems: Iterable[Problem], where: Callable[[KeyPath], str] = lambda _: "") -> ConfigError:
    """Return one error with a line for each key's first problem, at most ten; `where` gives a line's beginning."""
    first: dict[KeyPath, Problem] = {}
    for problem in problems:
        first.setdefault(problem.path, problem)
    lines = [
        where(path) + ": ".join(part for part in (spell(path), problem.text) if part) for path, problem in first.items()
    ]
    more = [f"… and {len(lines) - _MOST} more."] if len(lines) > _MOST else []
    return ConfigError("\n".join([*lines[:_MOST], *more]))
