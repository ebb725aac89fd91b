"""Makes cells wait for their answers without blocking the kernel.

`%agent` is asynchronous: calling it gives a coroutine. This input transformer writes `await` in front of the call that
IPython makes of the magic, so the kernel's event loop is free while an answer streams (widgets and Interrupt work),
Run All waits, and an answer in a terminal comes before the next prompt.
"""

from __future__ import annotations

import re

__all__ = ["await_magics"]

_CALL = re.compile(
    r"""^(?P<before>\s*(?P<target>[\w.\[\]'", ]+=\s*)?)
        (?P<call>get_ipython\(\)\.run_(?P<kind>cell|line)_magic\(['"]agent['"],\s*['"](?P<line>.*)\))\s*$""",
    re.VERBOSE | re.DOTALL,
)


def await_magics(lines: list[str]) -> list[str]:
    """Return a cell's lines with `await` before each call of the magic.

    A question that isn't assigned gets a semicolon too, IPython's mark for "don't show the value": the answer has been
    shown as it came.
    """
    return [_awaited(line) for line in lines]


def _awaited(line: str) -> str:
    found = _CALL.match(line)
    if found is None:
        return line
    asks = found["kind"] == "cell" or found["line"].startswith("chat")
    end = ";" if asks and not found["target"] else ""
    return f"{found['before']}await {found['call']}{end}\n"
