"""`%agent fix`: the last error goes to an agent, with the cell that raised it and without anything secret."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.notebook.kernel import started
from tests.notebook.test_chat_magic import SET_UP, value

import agentbench
from agentbench.errors import AnswerFailed, InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell

CELL = """\
def price(goods, tax=0.2):
    return goods["prize"]

price({"price": 3})"""


@pytest.fixture(autouse=True)
def _nothing_raised() -> None:
    """Forget what other tests raised."""
    sys.last_value = None  # type: ignore[assignment]  # as if nothing was


def asked(shell: Shell, line: str = "%agent fix") -> str:
    """Run a line that must not fail; return what was asked."""
    shell.run(line)
    text: str = agentbench.get_workbench().turns(agentbench.get_workbench().conversations()[0])[-1].input[0].text
    return text


def test_the_error_is_explained(shell: Shell) -> None:
    """The question has the traceback, the cell and its variables by type; the answer is shown as it comes."""
    shell.fail(CELL)
    question = asked(shell)
    assert "Hello **world**" in shell.printed
    assert question.startswith("Why does this raise KeyError, and how do I fix it?")
    assert 'Cell In[2], line 4, in <module>\n    price({"price": 3})\n' in question
    assert "Cell In[2], line 2, in price\n    return goods[\"prize\"]\nKeyError: 'prize'" in question
    assert f"Cell In[2]:\n\n```python\n{CELL}\n```" in question
    assert question.endswith("- goods: dict of 1\n- tax: float")


def test_an_earlier_error(shell: Shell) -> None:
    """It is found after cells that went well, in its own cell."""
    shell.fail(CELL)
    shell.run("1 + 1")
    shell.run("%agent chat hi")
    assert "Cell In[2]:" in asked(shell)


def test_words(shell: Shell) -> None:
    """Words take the place of our question, with values put in, on the line or in the body of a cell."""
    shell.fail("goods = ['pear']\nint('x')")
    assert asked(shell, "%agent fix is it {{goods[0]}}").startswith("is it pear\n\nThe ValueError:\n\n```text\nCell In")
    assert asked(shell, "%%agent fix -a counter\nIs it\n{me}?").startswith("Is it\n{me}?\n\nThe ValueError:")
    assert asked(shell, "%agent fix --raw {{x}}").startswith("{{x}}\n\n")


def test_options(shell: Shell) -> None:
    """They are those of chat; with --dry-run nobody is asked."""
    shell.fail(CELL)
    shell.run("%agent fix -a counter --to why")
    assert shell.ip.user_ns["why"].text == "first"
    shell.run("quoted = %agent fix --dry-run")
    assert shell.ip.user_ns["quoted"].columns[0] == "model"
    assert len(shell.run("%agent history")) == 1


def test_nothing_to_fix(shell: Shell) -> None:
    """It is an error that says so, also the second time, and nothing is asked."""
    for _ in range(2):
        error = shell.fail("%agent fix")
        assert isinstance(error, InvalidRequest)
        assert error.message.startswith("There is nothing to fix:")
    assert shell.run("%agent history --all").rows == []


def test_what_keeps_an_explanation_from_coming(shell: Shell) -> None:
    """It isn't what the next call explains."""
    shell.fail(CELL)
    assert isinstance(shell.fail("%agent fix -m scripted/broken"), AnswerFailed)
    assert isinstance(shell.fail("%agent fix {{nothing}}"), InvalidRequest)
    assert "KeyError: 'prize'" in asked(shell)


def test_our_own_errors(shell: Shell) -> None:
    """A one-line error goes with its text and the line that was written, without our code."""
    shell.fail("%agent chat -m scripted/nope hi")
    question = asked(shell)
    assert "in <module>\n    %agent chat -m scripted/nope hi\nagentbench.errors.UnknownName: There is no" in question
    assert "runner" not in question


def test_what_cannot_be_parsed(shell: Shell) -> None:
    """It goes with the cell and the place in it."""
    shell._run("def g(:\n    pass")
    question = asked(shell)
    assert "  Cell In[2], line 1\n    def g(:\n" in question
    assert "```python\ndef g(:\n    pass\n```" in question
    assert "compilerop" not in question


def test_others_code_is_trimmed(shell: Shell) -> None:
    """Of a package only the line where it ended is told, by a path that tells nothing of the machine."""
    shell.fail("import json\njson.loads('{')")
    question = asked(shell)
    assert "    json.loads('{')\n… 2 calls in json …\njson/decoder.py, line " in question
    assert "/lib/" not in question


def test_a_recursion_is_told_once(shell: Shell) -> None:
    """A line that comes again and again is counted."""
    shell.fail("def f(n): return f(n - 1) if n else 1 / 0\nf(60)")
    question = asked(shell)
    assert "… the same 60 times more …" in question
    assert len(question) < 1_000


def test_causes(shell: Shell) -> None:
    """What led to an error is told before it."""
    shell.fail("try:\n    int('x')\nexcept ValueError as e:\n    raise RuntimeError('no') from e")
    question = asked(shell)
    assert question.index("ValueError: invalid literal") < question.index("Which led to:")
    assert question.index("Which led to:") < question.index("RuntimeError: no\n```")


def test_errors_in_a_group(shell: Shell) -> None:
    """The errors that a group holds are named."""
    shell.fail("raise ExceptionGroup('several', [ValueError('a'), KeyError('b')])")
    assert "ExceptionGroup: several (2 sub-exceptions)\n- ValueError: a\n- KeyError: 'b'" in asked(shell)


def test_nothing_secret_goes_out(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like a key, is assigned as one or stands in the environment as one is masked; values stay here."""
    monkeypatch.setenv("MY_SERVICE_TOKEN", "from-the-environment")
    secrets = ["sk-abcdefgh12345678", "hunter22", "hunter23", "from-the-environment", "Ann Smith"]
    lines = [
        f"a = '{secrets[0]}'",
        f"password = '{secrets[1]}'",
        f"d = {{'api_key': \"{secrets[2]}\"}}",
        f"b = '{secrets[3]}'",
        "patient = ' '.join(['Ann', 'Smith'])",
        "raise ValueError(a + patient[:0])",
    ]
    shell.fail("\n".join(lines))
    question = asked(shell)
    assert [secret for secret in secrets if secret in question] == []
    assert "patient: str of 9" in question
    assert "sk-****" in question


def test_frames_among_the_variables(shell: Shell) -> None:
    """They go by their columns, none of their values."""
    shell.fail("import pandas as pd\ngoods = pd.DataFrame({'price': [12345]})\ngoods['prize']")
    assert "- goods: DataFrame of 1 row and 1 column: price (int64)" in asked(shell)


def test_in_a_kernel(tmp_path: Path) -> None:
    """The awaited command finds the cell as a notebook's kernel names it, and its value is not shown twice."""
    with started(tmp_path, SET_UP) as kernel:
        kernel.run(CELL)
        done = kernel.run("%agent fix")
        assert "execute_result" not in done.kinds
        question = value(kernel, "questions()[-1]")
        assert "Cell In[2], line 2, in price" in question
        assert "ipykernel" not in question
