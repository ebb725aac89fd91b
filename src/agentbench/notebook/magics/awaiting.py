"""Two input transformers that let cells ask questions and wait for their answers without blocking the kernel.

`%agent` is asynchronous: calling it gives a coroutine. `await_magics` writes `await` in front of the call that IPython
makes of the magic, so the kernel's event loop is free while an answer streams (widgets and Interrupt work), Run All
waits, and an answer in a terminal comes before the next prompt.

IPython reads a line that ends in a question mark as a wish for help. `keep_questions` runs before that and hides the
mark behind a comment, which `await_magics` takes away again wherever it stands.
"""

from __future__ import annotations

import re

__all__ = ["await_magics", "keep_questions"]

_HIDDEN = " # agentbench: a question, not a wish for help"
_TARGET = r"""(?P<target>[\w.\[\]'", ]+=\s*)?"""
_QUESTION = re.compile(rf"^\s*{_TARGET}%agent\s+\S.*\?\s*$")
_CALL = re.compile(
    rf"^(?P<before>\s*{_TARGET})"
    r"(?P<call>get_ipython\(\)\.run_(?P<kind>cell|line)_magic\(['\"]agent['\"],\s*['\"](?P<line>.*)\))\s*$",
    re.DOTALL,
)


def keep_questions(lines: list[str]) -> list[str]:
    """Return a cell's lines with the question marks at the ends of `%agent` lines hidden."""
    return [line.rstrip() + _HIDDEN + "\n" if _QUESTION.match(line) else line for line in lines]


def await_magics(lines: list[str]) -> list[str]:
    """Return a cell's lines with `await` before each call of the magic, and question marks as they were.

    A question that isn't assigned gets a semicolon too, IPython's mark for "don't show the value": the answer has been
    shown as it came.
    """
    return [_awaited(line.replace(_HIDDEN, "")) for line in lines]


def _awaited(line: str) -> str:
    found = _CALL.match(line)
    if found is None:
        return line
    asks = found["kind"] == "cell" or found["line"].startswith("chat")
    end = ";" if asks and not found["target"] else ""
    return f"{found['before']}await {found['call']}{end}\n"
