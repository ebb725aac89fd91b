"""The windows that slide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.auth import limits
from agentbench.auth.limits import SharedWindow, SlidingWindow
from agentbench.errors import StorageError

if TYPE_CHECKING:
    from agentbench.storage.database import Database


def test_sliding() -> None:
    """So many in any minute, and the wait is until the oldest leaves it; what is refused isn't counted."""
    now = [0.0]
    window = SlidingWindow(clock=lambda: now[0])
    assert [window.take("a", 2), window.take("a", 2)] == [0, 0]
    now[0] = 20
    assert [window.take("a", 2), window.take("a", 2), window.take("b", 2)] == [40, 40, 0]
    now[0] = 60
    assert [window.take("a", 2), window.take("a", 2), window.take("a", 2)] == [0, 0, 60]


def test_forgetting() -> None:
    """A name that is forgotten begins anew."""
    window = SlidingWindow()
    window.take("a", 1)
    window.forget("a")
    window.forget("never there")
    assert window.take("a", 1) == 0


def test_made_up_names() -> None:
    """Names that are made up don't fill the memory."""
    window = SlidingWindow()
    for number in range(limits.MOST_NAMES + 500):
        window.take(f"made-up-{number}", 5)
    assert len(window._moments) == limits.MOST_NAMES


@pytest.mark.anyio
async def test_shared(database: Database) -> None:
    """Those on one database count together, and forget together."""
    here, there = SharedWindow(database), SharedWindow(database)
    assert [await here.take("a", 2), await there.take("a", 2)] == [0, 0]
    assert 59 < await here.take("a", 2) <= 60
    assert 59 < await there.take("a", 2) <= 60
    await there.forget("a")
    assert await there.take("a", 2) == 0


@pytest.mark.anyio
async def test_a_flood_costs_the_database_nothing(database: Database) -> None:
    """Who was refused is refused from memory."""
    window = SharedWindow(database)
    await window.take("a", 1)
    assert await window.take("a", 1) > 59
    database.close()
    assert 59 < await window.take("a", 1) <= 60


@pytest.mark.anyio
async def test_a_database_that_takes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be written each process counts for itself, and nobody is kept out by that."""

    async def fail(*_: object, **__: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(database, "write", fail)
    window = SharedWindow(database)
    assert [await window.take("a", 2), await window.take("a", 2)] == [0, 0]
    assert await window.take("a", 2) > 59
    await window.forget("a")
    assert await window.take("a", 2) == 0
