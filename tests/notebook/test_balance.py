"""`%agent balance`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.notebook.scripts import CONFIG

import agentbench

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

REFILLS = {"autoRefillEnabled": True, "refillIntervalValue": 2, "refillIntervalUnit": "weeks"}


def shown(shell: Shell, **keys: Any) -> Any:
    """Run the command with these rules."""
    with agentbench.Workbench(CONFIG | {"balance": {"enabled": True} | keys}) as bench:
        agentbench.set_workbench(bench)
        shell.run("%agent chat hello")
        return shell.run("%agent balance")


def test_off(shell: Shell) -> None:
    """It says that nothing is paid, and how to change that."""
    table = shell.run("%agent balance")
    assert table.rows == []
    assert table.note.startswith("Balances are off")


def test_amounts(shell: Shell) -> None:
    """Credits and US dollars, and what running calls hold."""
    table = shown(shell)
    assert table.rows == [["balance", "20,000", "0.02"], ["held by running calls", "0", "0"]]
    assert table.note == "It is not refilled by itself."


def test_growth(shell: Shell) -> None:
    """When it grows, and by how much."""
    assert shown(shell, **REFILLS).note == "It grows by 10,000 credits every 2 weeks."
