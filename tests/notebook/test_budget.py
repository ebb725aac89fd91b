"""`%agent budget`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.notebook.scripts import MODELS

import agentbench
from agentbench.errors import BudgetExceeded, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notebook.conftest import Shell

CONFIG = {
    "endpoints": {
        "scripted": {"models": MODELS, "tokenConfig": {"hello": {"prompt": 0, "completion": 1_000}}},
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "hello"}],
}


@pytest.fixture
def priced(shell: Shell) -> Iterator[Shell]:
    """Give a shell with a model that says two tokens for a tenth of a cent each."""
    with agentbench.Workbench(CONFIG) as bench:
        agentbench.set_workbench(bench)
        yield shell


def test_no_budget(shell: Shell) -> None:
    """Without one it says how to set one."""
    table = shell.run("%agent budget")
    assert table.rows == []
    assert "%agent budget 0.50" in table.note


def test_a_limit_in_dollars(priced: Shell) -> None:
    """Calls count, and the one that could pass the limit is refused."""
    priced.run("%agent budget 0.0115")
    priced.run("%agent chat --max 10 Hi")
    assert priced.run("%agent budget").rows == [["US dollars", "$0.0115", "$0.002", "$0.0095"]]
    error = priced.fail("%agent chat --max 10 Hi")
    assert isinstance(error, BudgetExceeded)
    assert str(error).startswith("scripted/hello may cost $0.01 here, and of the budget of $0.0115 $0.002 is spent.")


def test_a_limit_in_tokens(priced: Shell) -> None:
    """It holds beside the one in dollars, for Python's calls too."""
    priced.run("%agent budget --tokens 2000 $1")
    agentbench.get_workbench().ask("Hi", max_output_tokens=10)
    assert priced.run("%agent budget").rows == [
        ["US dollars", "$1.00", "$0.002", "$0.998"],
        ["tokens", "2,000", "5", "1,995"],
    ]


def test_a_new_limit_begins_to_count(priced: Shell) -> None:
    """What was spent under the one before is forgotten."""
    priced.run("%agent budget 1")
    priced.run("%agent chat --max 10 Hi")
    assert priced.run("%agent budget 2").rows == [["US dollars", "$2.00", "$0.00", "$2.00"]]


def test_off(priced: Shell) -> None:
    """After it every call is allowed again."""
    priced.run("%agent budget 0")
    assert isinstance(priced.fail("%agent chat Hi"), BudgetExceeded)
    assert priced.run("%agent budget --off").rows == []
    priced.run("%agent chat Hi")
    assert agentbench.last() is not None


def test_another_workbench_has_the_same_limit(priced: Shell) -> None:
    """The limit is the notebook's."""
    priced.run("%agent budget 0")
    with agentbench.Workbench(CONFIG) as other:
        agentbench.set_workbench(other)
        assert isinstance(priced.fail("%agent chat Hi"), BudgetExceeded)


@pytest.mark.parametrize("line", ["much", "-1", "nan", "--off 5", "--off --tokens 5", "0.50 --tokens 20000"])
def test_what_is_no_limit(shell: Shell, line: str) -> None:
    """It is refused, and sets nothing."""
    assert isinstance(shell.fail(f"%agent budget {line}"), InvalidRequest)
    assert shell.run("%agent budget").rows == []
