"""Signs of life of what runs in the background."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from agentbench.storage import background

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
LATER = NOW + timedelta(seconds=5)


async def is_alive(database: Database, since: datetime) -> bool:
    """Tell whether the run has given a sign since."""
    return await database.read(partial(background.is_alive, response_id="resp_1", since=since))


async def test_a_sign_of_life(database: Database) -> None:
    """A run is alive from its last sign on, until it ends."""
    await database.write(partial(background.begin, response_id="resp_1", now=NOW))
    assert (await is_alive(database, NOW), await is_alive(database, LATER)) == (True, False)
    assert not await database.write(partial(background.sign, response_id="resp_1", now=LATER))
    assert await is_alive(database, LATER)
    await database.write(partial(background.end, response_id="resp_1"))
    assert not await is_alive(database, NOW)


async def test_a_wish_to_stop(database: Database) -> None:
    """The run hears of it with its next sign, and every one after."""
    await database.write(partial(background.begin, response_id="resp_1", now=NOW))
    await database.write(partial(background.request_stop, response_id="resp_1"))
    assert await database.write(partial(background.sign, response_id="resp_1", now=LATER))
    assert await database.write(partial(background.sign, response_id="resp_1", now=LATER))


async def test_a_run_that_is_not_there(database: Database) -> None:
    """It is not alive, and asking it to stop does nothing."""
    await database.write(partial(background.request_stop, response_id="resp_1"))
    assert not await is_alive(database, NOW)
    assert not await database.write(partial(background.sign, response_id="resp_1", now=NOW))
