"""`agentbench balance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Turn balances on, and add a user."""
    file = tmp_path / "agentbench.yaml"
    file.write_text("balance: {enabled: true, startBalance: 500, autoRefillEnabled: true, refillIntervalUnit: months}")
    assert main(["users", "add", "ann@example.org", "--no-password"]) == 0
    capsys.readouterr()
    return str(file)


def row(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Run a command; return the cells of the row that it prints."""
    assert main(["balance", *arguments]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "USER"
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_show(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A user who asked nothing yet has what a balance starts with."""
    cells = row(capsys, "show", "Ann@example.org", "--config", config)
    assert cells == ["ann@example.org", "500", "0.0005", "0", "never", "on"]


def test_add_and_set(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Credits are added, taken off down to zero, and set; from then on it is known when they grow."""
    for arguments, left in (
        (["add", "ann@example.org", "1000000.5"], "1,000,500.5"),
        (["add", "ann@example.org", "-500.5"], "1,000,000"),
        (["add", "ann@example.org", "-2000000"], "0"),
        (["set", "ann@example.org", "20000"], "20,000"),
    ):
        cells = row(capsys, *arguments, "--config", config)
        assert cells[1] == left
    assert (cells[2], cells[4] != "never") == ("0.02", True)


def test_the_kernels_own(capsys: pytest.CaptureFixture[str]) -> None:
    """It has a balance like everybody; without a config nothing is paid from it."""
    assert row(capsys, "set", "kernel@localhost", "7")[:2] == ["kernel@localhost", "7"]
    assert row(capsys, "show", "kernel@localhost")[-1] == "off"


@pytest.mark.parametrize("command", ["add", "set"])
@pytest.mark.parametrize("amount", ["much", "nan", "inf", "1e13", ""])
def test_no_amount(config: str, command: str, amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no number of credits is refused, and changes nothing."""
    assert main(["balance", command, "ann@example.org", amount]) == 1
    assert f"{amount!r} is no amount of credits" in capsys.readouterr().err
    assert row(capsys, "show", "ann@example.org", "--config", config)[1] == "500"


def test_below_zero(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No balance is set below zero."""
    assert main(["balance", "set", "ann@example.org", "-1", "--config", config]) == 1
    assert capsys.readouterr().err == "agentbench: A balance can't be below zero.\n"


def test_an_unknown_user(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody gets a balance by a slip of the pen."""
    assert main(["balance", "add", "anne@example.org", "5", "--config", config]) == 1
    assert "There is no user 'anne@example.org'. Did you mean 'ann@example.org'?" in capsys.readouterr().err
