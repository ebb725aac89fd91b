"""`${NAME}` in a value becomes the environment variable of that name, once: what it holds is not looked at again.

What people or models read stays as written: an agent's description and instructions, and scripts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentbench.config.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.problem import KeyPath

__all__ = ["fill"]

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def fill(data: object, environ: Mapping[str, str]) -> tuple[object, list[Problem]]:
    """Return a filled copy, and a problem for each value that names a variable that isn't set or is blank.

    Blanks around what a variable holds are cut off: keys that were read from files end in a line break.
    """
    problems: list[Problem] = []
    return _fill(data, (), environ, problems), problems


def _fill(data: object, path: KeyPath, environ: Mapping[str, str], problems: list[Problem]) -> object:
    if _as_written(path):
        return data
    if isinstance(data, dict):
        return {key: _fill(value, (*path, key), environ, problems) for key, value in data.items()}
    if isinstance(data, list):
        return [_fill(value, (*path, index), environ, problems) for index, value in enumerate(data)]
    if not isinstance(data, str):
        return data
    wrong = [text for name in _PLACEHOLDER.findall(data) if (text := _wrong(name, environ))]
    if wrong:
        problems.append(Problem(path, wrong[0]))
        return data
    return _PLACEHOLDER.sub(lambda match: environ[match[1]].strip(), data)


def _as_written(path: KeyPath) -> bool:
    prose = path[:1] == ("agents",) and path[-1] in {"description", "instructions"}
    return prose or path[:2] == ("endpoints", "scripted")


def _wrong(name: str, environ: Mapping[str, str]) -> str | None:
    if not _NAME.fullmatch(name):
        return "a placeholder holds just the name of an environment variable: ${NAME}"
    if environ.get(name, "").strip():
        return None
    return f"the environment variable {name!r} is {'empty' if name in environ else 'not set'}"
