"""`%agent` in IPython in a real terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.notebook.scripts import MODELS

pexpect = pytest.importorskip("pexpect", reason="there are no terminals to drive here", exc_type=ImportError)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pexpect import spawn

PROMPT = r"In \[\d+\]: "
ARGUMENTS = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", "--no-confirm-exit"]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[spawn[str]]:
    """Start IPython in a terminal, with the magics loaded and the scripted models in use."""
    set_up = tmp_path / "set_up.py"
    config = {"endpoints": {"scripted": {"models": {name: MODELS[name] for name in ("hello", "slow")}}}}
    set_up.write_text(f"import agentbench\nagentbench.set_workbench(agentbench.Workbench({config!r}))\n")
    child = pexpect.spawn(sys.executable, ARGUMENTS, encoding="utf-8", timeout=30, dimensions=(50, 200))
    child.expect(PROMPT)
    for line in ("%load_ext agentbench", f"%run {set_up}"):
        child.sendline(line)
        child.expect(PROMPT)
    yield child
    child.close(force=True)


def test_an_answer_is_text(terminal: spawn[str]) -> None:
    """The answer is printed once, with its summary line, and has no Out."""
    terminal.sendline("%agent chat -m scripted/hello Why is that?")
    terminal.expect(PROMPT)
    _, answer, summary, *rest = (terminal.before or "").splitlines()
    assert answer == "Hello **world**"
    assert summary.startswith("— scripted/hello · 3 → 2 tokens · ")
    assert "".join(rest).strip() == ""


def test_an_interrupt_keeps_what_came(terminal: spawn[str]) -> None:
    """Ctrl-C ends a silent answer: the text stays, there is no traceback, and the prompt is back."""
    terminal.sendline("r = %agent chat -m scripted/slow Go")
    terminal.expect_exact("This much came.")
    terminal.sendintr()
    terminal.expect(PROMPT, timeout=10)
    assert "(Stopped early: interrupted.)" in (terminal.before or "")
    assert "Traceback" not in (terminal.before or "")
    terminal.sendline("r.text, r.response.status")
    terminal.expect_exact("('This much came.', 'incomplete')")


def test_an_error_is_one_line(terminal: spawn[str]) -> None:
    """An error is its name and message."""
    terminal.sendline("%agent chat -m scripted/helo hi")
    terminal.expect(PROMPT)
    lines = [line for line in (terminal.before or "").splitlines()[1:] if line]
    assert lines == ["UnknownName: There is no model 'scripted/helo'. Did you mean 'scripted/hello'?"]
