"""Runs pieces of code as a notebook's cells: names are kept, a last expression is printed, errors come as text."""

from __future__ import annotations

import ast
import linecache
import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING

from agentbench.interpreter.values import SHOWN

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Cells"]

_LONGEST = 20_000  # characters of an error


class Cells:
    """The cells of one process, which share their names; `folder` is where `/mnt/data` really is."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._count = 0
        self._module = ModuleType("__main__")
        sys.modules["__main__"] = self._module  # where pickle looks for the code's own classes

    def run(self, code: str) -> str | None:
        """Run a cell, and return its error if it ends with one."""
        self._count += 1
        name = f"<cell {self._count}>"
        linecache.cache[name] = (len(code), None, f"{code}\n".splitlines(keepends=True), name)
        try:
            self._run(code, name)
        except SystemExit as error:
            return None if not error.code else _told(error)
        except BaseException as error:  # noqa: BLE001 - whatever the code raises is its answer
            return _told(error)
        return None

    def _run(self, code: str, name: str) -> None:
        tree = _Paths(self._folder).visit(ast.parse(code, name))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        names = vars(self._module)
        exec(compile(tree, name, "exec", dont_inherit=True), names)  # noqa: S102 - what this process is for
        if last is not None:
            shown = ast.Interactive([last])  # prints the value, as at a prompt
            exec(compile(shown, name, "single", dont_inherit=True), names)  # noqa: S102 - what this process is for


class _Paths(ast.NodeTransformer):
    """Puts the real folder into all texts that name `/mnt/data`; the code's lines and columns stay as they are."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            node.value = node.value.replace(SHOWN, self._folder)
        elif isinstance(node.value, bytes):
            node.value = node.value.replace(SHOWN.encode(), self._folder.encode())
        return node


def _told(error: BaseException) -> str:
    """Return the traceback without our own frames."""
    try:
        text = "".join(traceback.format_exception(type(error), error, _own(error.__traceback__)))
    except Exception:  # noqa: BLE001 - an error whose text can't be had
        text = type(error).__name__
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}\n[…]\n{text[-_LONGEST // 2 :]}"


def _own(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that is the code's."""
    while trace is not None and trace.tb_frame.f_code.co_filename in {__file__, ast.__file__}:
        trace = trace.tb_next
    return trace
