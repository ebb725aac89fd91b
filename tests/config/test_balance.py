"""The keys `balance` and `transactions`, and when refills are due."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from agentbench.config import load
from agentbench.config.balance import BalanceRules, Refill, microcredits_of
from agentbench.config.check import check
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.config.balance import RefillUnit

LEAP_EVE = datetime(2024, 1, 31, 12, tzinfo=UTC)
SHORT_EVE = datetime(2026, 1, 31, 12, tzinfo=UTC)


def rules(**keys: Any) -> BalanceRules:
    """Return the rules of a config with these keys under `balance`."""
    return load({"balance": keys}, {}).balance


def test_defaults() -> None:
    """Balances are off; once on, they have the documented values, refilling among them if it is asked for."""
    assert load({}, {}).balance == load(None, {}).balance == BalanceRules()
    assert rules(enabled=True) == BalanceRules(enabled=True, start=20_000_000_000, refill=None)
    refill = rules(enabled=True, autoRefillEnabled=True).refill
    assert refill == Refill(microcredits=10_000_000_000, every=30, unit="days")


def test_written_values() -> None:
    """What is written holds, to the millionth of a credit."""
    written = rules(startBalance=0.5, autoRefillEnabled=True, refillIntervalValue=2, refillIntervalUnit="weeks")
    assert written.start == 500_000
    assert written.refill == Refill(every=2, unit="weeks")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("startBalance: -1", "startBalance"),
        ("startBalance: .nan", "startBalance"),
        ("startBalance: .inf", "startBalance"),
        ("startBalance: 1e13", "startBalance"),
        ("startBalance: many", "startBalance"),
        ("refillAmount: -0.1", "refillAmount"),
        ("refillAmount: .nan", "refillAmount"),
        ("refillIntervalValue: 0", "refillIntervalValue"),
        ("refillIntervalValue: 1.5", "refillIntervalValue"),
        ("refillIntervalUnit: years", "refillIntervalUnit"),
        ("startbalance: 1", "startBalance"),
    ],
)
def test_wrong_values(tmp_path: Path, line: str, said: str) -> None:
    """They are refused, with their line."""
    file = tmp_path / "agentbench.yaml"
    file.write_text(f"balance:\n  enabled: true\n  {line}\n")
    with pytest.raises(ConfigError, match=rf"agentbench\.yaml:3:3.*{said}"):
        load(file, {})


def test_balances_need_the_ledger(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With balances the ledger is kept whatever `transactions` says; the log and the check tell so."""
    file = tmp_path / "agentbench.yaml"
    file.write_text("balance: {enabled: true}\ntransactions: {enabled: false}\n")
    with caplog.at_level(logging.WARNING, "agentbench"):
        assert load(file, {}).keeps_ledger
    told = "The ledger is kept all the same, since balances need it."
    assert caplog.messages == [f"transactions.enabled: {told}"]
    notes = {each.key: (each.state, each.note) for each in check(file, {})}
    assert notes == {"balance.enabled": ("used", ""), "transactions.enabled": ("used", told)}


def test_no_ledger(caplog: pytest.LogCaptureFixture) -> None:
    """Without balances it is kept unless `transactions` is off, and nothing is said of it."""
    assert load({}, {}).keeps_ledger
    assert not load({"transactions": {"enabled": False}}, {}).keeps_ledger
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("unit", "every", "start", "ends"),
    [
        ("months", 1, SHORT_EVE, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("months", 1, LEAP_EVE, ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]),
        ("months", 12, datetime(2024, 2, 29, tzinfo=UTC), ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("months", 5, datetime(2026, 10, 31, tzinfo=UTC), ["2027-03-31", "2027-08-31", "2028-01-31", "2028-06-30"]),
        ("months", 1, datetime(2026, 11, 30, tzinfo=UTC), ["2026-12-30", "2027-01-30", "2027-02-28", "2027-03-30"]),
        ("weeks", 1, datetime(2026, 3, 25, tzinfo=UTC), ["2026-04-01", "2026-04-08", "2026-04-15", "2026-04-22"]),
        ("days", 1, datetime(2024, 2, 28, tzinfo=UTC), ["2024-02-29", "2024-03-01", "2024-03-02", "2024-03-03"]),
        ("hours", 36, datetime(2026, 1, 1, tzinfo=UTC), ["2026-01-02", "2026-01-04", "2026-01-05", "2026-01-07"]),
        ("minutes", 1440, datetime(2026, 1, 1, tzinfo=UTC), ["2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"]),
        ("seconds", 86400, datetime(2026, 1, 1, tzinfo=UTC), ["2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"]),
    ],
)
def test_ends_of_periods(unit: RefillUnit, every: int, start: datetime, ends: list[str]) -> None:
    """Each period ends so much after the start; in a shorter month on its last day, and the next one where it would."""
    refill = Refill(every=every, unit=unit)
    moments = [refill.end(start, number) for number in range(1, 5)]
    assert [f"{moment:%Y-%m-%d}" for moment in moments] == ends
    for number, moment in enumerate(moments, 1):
        assert refill.periods(start, moment) == number
        assert refill.periods(start, moment - timedelta(microseconds=1)) == number - 1


def test_periods_across_a_change_of_clocks() -> None:
    """A day is 24 hours in UTC, also where clocks were put forward."""
    refill = Refill(every=1, unit="days")
    start = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)  # in Europe the clocks change the night after
    assert refill.end(start, 1) - start == timedelta(hours=24)
    assert refill.periods(start, start + timedelta(hours=23)) == 0


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(20000, 20_000_000_000), (0.1, 100_000), (Decimal("0.0000001"), 1), (Decimal("-0.0000001"), 0), (0, 0)],
)
def test_microcredits(amount: float | Decimal, expected: int) -> None:
    """Credits become whole millionths, rounded up."""
    assert microcredits_of(amount) == expected
