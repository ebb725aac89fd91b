"""The last error of a notebook as text for a model: what was raised and where, in which cell, among which variables.

Owns what goes out: the cell, the lines of the person's own code, only the last line of anybody else's, variables by
type and shape, and nothing that looks like a key.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import traceback
from itertools import groupby
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from agentbench.config.secret import MASK, without_keys
from agentbench.errors import AgentbenchError
from agentbench.notebook.frame_text import shape_of
from agentbench.notebook.origins import Origins
from agentbench.notebook.sanitize import fence
from agentbench.notebook.sources import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

    from agentbench.notebook.origins import Origin

__all__ = ["described", "last_problem"]

_LONGEST_CELL = 6_000
_LONGEST_MESSAGE = 2_000
_MOST_VARIABLES = 30
_MOST_CAUSES = 4
_MOST_FRAMES = 12
"""Of one error; the first and the last ones are shown."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SECRET_LENGTH = 8
_ASSIGNED = re.compile(
    r"""(\w*(?:[a-z]_?key|token|secret|passw(?:or)?d|credential)s?["']?\]?\s*[=:]\s*)(["'])(?!\2)[^"'\n]+\2""",
    re.IGNORECASE,
)
_NOT_VARIABLES = (ModuleType, FunctionType, BuiltinFunctionType, MethodType, type)


def last_problem() -> BaseException | None:
    """Return what was raised last and not caught; None if nothing was."""
    found = getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None


def described(problem: BaseException, shell: InteractiveShell) -> str:
    """Return all that a model needs to explain an error."""
    origins = Origins(shell)
    parts = [fence(_chain(problem, origins), "text")]
    frames = [frame for frame, _ in traceback.walk_tb(problem.__traceback__) if _is_cell(frame, origins)]
    name = frames[-1].f_code.co_filename if frames else getattr(problem, "filename", None)
    if (cell := origins.cell(name)) is not None:
        parts.append(f"{cell.label}:\n\n{fence(cut(cell.source, _LONGEST_CELL), 'python')}")
    if frames and (variables := _variables(frames[-1])):
        parts.append("Variables there:\n\n" + "\n".join(f"- {each}: {shape}" for each, shape in variables))
    return _masked("\n\n".join(parts))


def _is_cell(frame: FrameType, origins: Origins) -> bool:
    return origins.cell(frame.f_code.co_filename) is not None


def _chain(problem: BaseException, origins: Origins) -> str:
    """Return an error after what led to it, as Python does."""
    told: list[str] = []
    found: BaseException | None = problem
    while found is not None and len(told) < _MOST_CAUSES:
        told.append(_one(found, origins))
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return "\n\nWhich led to:\n\n".join(reversed(told))


def _one(problem: BaseException, origins: Origins) -> str:
    """Return where an error came from, and what it says."""
    lines = list(_once(_frames(problem, origins)))
    if len(lines) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half:,} more …", *lines[-half:]]
    said = "".join(traceback.format_exception_only(problem)).rstrip()
    if isinstance(problem, SyntaxError) and (cell := origins.cell(problem.filename)) is not None:
        said = said.replace(f'File "{problem.filename}"', cell.label)
    inner = [f"- {type(each).__name__}: {each}" for each in getattr(problem, "exceptions", ())[:_MOST_CAUSES]]
    return "\n".join([*lines, cut(said, _LONGEST_MESSAGE), *inner])


def _once(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines; one that comes again and again, as of a recursion, once and how often."""
    for line, group in groupby(lines):
        again = len(list(group)) - 1
        yield line
        if again:
            yield f"… the same {again:,} times more …" if again > 1 else line


def _frames(problem: BaseException, origins: Origins) -> Iterator[str]:
    """Yield where an error passed through, from the person's own code on; of others' code only where it ended.

    An error that says it all in one line doesn't need to tell where in our code it was raised.
    """
    places = [(origins.of(frame.f_code.co_filename), frame, line) for frame, line in _walked(problem)]
    while places and places[0][0].package and any(not origin.package for origin, *_ in places):
        places.pop(0)
    hides_last = isinstance(problem, AgentbenchError)
    for package, group in groupby(places, key=lambda each: each[0].package):
        among = list(group)
        ends = among[-1] is places[-1]
        shown = ([] if hides_last or not ends else among[-1:]) if package else among
        hidden = len(among) - len(shown)
        if hidden and not (hides_last and ends):
            yield f"… {hidden} call{'s' * (hidden != 1)} in {package} …"
        yield from (_shown(*each, origins) for each in shown)


def _walked(problem: BaseException) -> list[tuple[FrameType, int]]:
    """Return the frames of an error; what can't be parsed was never run, and has none that tell anything."""
    return [] if isinstance(problem, SyntaxError) else list(traceback.walk_tb(problem.__traceback__))


def _shown(origin: Origin, frame: FrameType, number: int, origins: Origins) -> str:
    name = frame.f_code.co_filename
    cell = origins.cell(name)
    code = linecache.getline(name, number, frame.f_globals) if cell is None else cell.line(number)
    return f"{origin.label}, line {number}, in {frame.f_code.co_name}" + (f"\n    {code.strip()}" if code else "")


def _variables(frame: FrameType) -> list[tuple[str, str]]:
    """Return the variables that the code of a frame names, each with its type and shape."""
    code = frame.f_code
    names = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars, *code.co_names))
    known: Mapping[str, Any] = {**frame.f_globals, **frame.f_locals}
    found = [(name, known[name]) for name in names if name in known and not name.startswith("_")]
    values = [(name, value) for name, value in found if not isinstance(value, _NOT_VARIABLES)]
    return [(name, shape_of(value)) for name, value in values[:_MOST_VARIABLES]]


def _masked(text: str) -> str:
    """Return a text without what may be secret: the environment's secrets, assigned ones, what looks like a key."""
    secrets = {value for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    for secret in sorted((each for each in secrets if len(each) >= _SECRET_LENGTH), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return without_keys(_ASSIGNED.sub(rf"\1\2{MASK}\2", text))
