"""Which calls of the magic a cell waits for, as IPython transforms it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

ASK = "await get_ipython().run_line_magic('_agent', 'chat why?')"
TELL = "await get_ipython().run_line_magic('_agent', 'chat hi')"
BLOCKING = "get_ipython().run_line_magic('agent', 'chat hi')"
LIST = "await get_ipython().run_line_magic('_agent', 'agents')"
BODY = "await get_ipython().run_cell_magic('_agent', '{}', {!r})"

CELLS = {
    "a line": ("%agent chat hi", f"{TELL};"),
    "a command": ("%agent agents", LIST),
    "nothing": ("%agent", "await get_ipython().run_line_magic('_agent', '')"),
    "a question": ("%agent chat why?", f"{ASK};"),
    "a question on two lines": ("%agent chat\\\nwhy?", f"{ASK};"),
    "an assignment": ("r = %agent chat why?", f"r = {ASK}"),
    "a subscript": ("answers['a'] = %agent chat why?", f"answers['a'] = {ASK}"),
    "a computed subscript": ("answers[i + 1] = %agent chat why?", f"answers[i + 1] = {ASK}"),
    "an attribute": ("f(x).answer = %agent chat why?", f"f(x).answer = {ASK}"),
    "two targets": ("a, b = %agent agents", f"a, b = {LIST}"),
    "a loop": ("for x in y:\n    %agent chat hi", f"for x in y:\n    {TELL};"),
    "a condition": ("if x:\n    r = %agent chat why?", f"if x:\n    r = {ASK}"),
    "several": ("%agent chat hi\nr = %agent chat why?\n%agent agents", f"{TELL};\nr = {ASK}\n{LIST}"),
    "an async function": ("async def f():\n    %agent chat hi", f"async def f():\n    {TELL};"),
    "a function": ("def f():\n    %agent chat hi", f"def f():\n    {BLOCKING};"),
    "a lambda's call": (f"f = lambda: {BLOCKING}", f"f = lambda: {BLOCKING}"),
    "code": (f"r = {BLOCKING}", f"r = {TELL}"),
    "a body": ("%%agent\nhi\nthere?", BODY.format("", "hi\nthere?\n") + ";"),
    "a body with options": ("%%agent -a bot\nhi", BODY.format("-a bot", "hi\n") + ";"),
    "a body of a question": ("%%agent chat why?\nsay", BODY.format("chat why?", "say\n") + ";"),
    "no body": ("%%agent chat hi", "get_ipython().run_cell_magic('agent', 'chat hi', '');"),
}
UNTOUCHED = {
    "another magic": ("%who str", "get_ipython().run_line_magic('who', 'str')"),
    "another body": ("%%time\n%agent chat why?", "get_ipython().run_cell_magic('time', '', '%agent chat why?\\n')"),
    "help": ("%agent?", "get_ipython().run_line_magic('pinfo', '%agent')"),
    "help in full": ("%agent??", "get_ipython().run_line_magic('pinfo2', '%agent')"),
    "another's help": ("%time?", "get_ipython().run_line_magic('pinfo', '%time')"),
    "text": ("s = '''\n%agent chat hi\n'''", "s = '''\n%agent chat hi\n'''"),
    "text with questions": ("s = '''\n%agent chat why?  \n'''", "s = '''\n%agent chat why?  \n'''"),
    "plain code": ("agent = 7 % agent", "agent = 7 % agent"),
}


@pytest.mark.parametrize(("cell", "expected"), CELLS.values(), ids=CELLS)
def test_a_cell_awaits_its_answers(shell: Shell, cell: str, expected: str) -> None:
    """A call is awaited wherever the cell can; questions keep their mark and, unless assigned, show no value."""
    assert shell.ip.transform_cell(cell) == f"{expected}\n"


@pytest.mark.parametrize(("cell", "expected"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_the_rest_stays(shell: Shell, cell: str, expected: str) -> None:
    """Other magics, wishes for help and text are as they are without the extension."""
    assert shell.ip.transform_cell(cell) == f"{expected}\n"


def test_a_function_makes_its_whole_cell_block(shell: Shell) -> None:
    """Where one call can't be awaited none is, and the cell still runs."""
    written = "def f():\n    %agent chat hi\n%agent chat hi"
    assert shell.ip.transform_cell(written) == f"def f():\n    {BLOCKING};\n{BLOCKING};\n"


def test_a_broken_cell_is_transformed_too(shell: Shell) -> None:
    """A syntax error elsewhere leaves IPython to complain about just that."""
    assert shell.ip.transform_cell("%agent chat hi\nx = = 1") == f"{TELL};\nx = = 1\n"
