"""Two input transformers that let cells ask questions and wait for their answers without blocking the kernel.

IPython turns `%agent …` into a call of the magic, which blocks until the answer is whole. `await_magics` turns that
into an awaited call of its asynchronous twin, so the kernel's event loop is free while an answer streams (widgets and
Interrupt work), and Run All still waits. Where a cell can't await, as within a function, the blocking call stays.

IPython reads a line that ends in a question mark as a wish for help. `keep_questions` runs before that and hides the
mark behind a comment, which `await_magics` takes away again wherever it stands.
"""

from __future__ import annotations

import ast
import re

from agentbench.notebook.magics.commands import COMMANDS

__all__ = ["AWAITED", "await_magics", "keep_questions"]

AWAITED = "_agent"
"""The name of the asynchronous twin of `%agent`."""

_ASKING = ("chat", "compare", "fix")
"""The commands whose value was shown as it came."""

_HIDDEN = " # agentbench: a question, not a wish for help"
_TARGET = r"(?P<target>[^\s%=#][^%=#\n]*=[ \t]*)?"
_QUESTION = re.compile(rf"^[ \t]*{_TARGET}%agent[ \t]+\S(?:.|\\\n)*\?(?=[ \t]*$)", re.MULTILINE)
_CALL = re.compile(
    rf"^(?P<before>\s*{_TARGET})"
    r"(?P<call>get_ipython\(\)\.run_(?P<kind>cell|line)_magic\('agent',\s*['\"](?P<line>.*)\))(?P<end>;?\s*)$",
    re.DOTALL,
)


def keep_questions(lines: list[str]) -> list[str]:
    """Return a cell's lines with the question marks at the ends of `%agent` lines hidden."""
    return _QUESTION.sub(rf"\g<0>{_HIDDEN}", "".join(lines)).splitlines(keepends=True)


def await_magics(lines: list[str]) -> list[str]:
    """Return a cell's lines with each call of the magic awaited, if the cell can, and question marks as they were.

    A question that isn't assigned gets a semicolon too, IPython's mark for "don't show the value": the answer has been
    shown as it came.
    """
    plain = [_quiet(line.replace(_HIDDEN, "")) for line in lines]
    awaited = [_CALL.sub(_awaited_call, line) for line in plain]
    return plain if awaited != plain and not _compiles(awaited) and _compiles(plain) else awaited


def _quiet(line: str) -> str:
    found = _CALL.match(line)
    if found is None or found["target"]:
        return line
    command = found["line"].split(" ", 1)[0].strip("'\",")
    asks = command in _ASKING or (found["kind"] == "cell" and command not in COMMANDS)
    return f"{line.rstrip()};\n" if asks else line


def _awaited_call(found: re.Match[str]) -> str:
    if found["kind"] == "cell" and found["call"].endswith(", '')"):
        return found[0]  # no body: IPython's own complaint should name the magic that was written
    call = found["call"].replace("'agent'", f"'{AWAITED}'", 1)
    return f"{found['before']}await {call}{found['end']}"


def _compiles(lines: list[str]) -> bool:
    try:
        compile("".join(lines), "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return False
    return True
