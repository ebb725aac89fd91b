"""API keys in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from agentbench.storage import keys, users
from agentbench.storage.keys import ApiKey

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture
async def key(database: Database) -> ApiKey:
    """Store a key of a user's, with everything that a key may have."""
    ann = await database.write(lambda connection: users.add(connection, email="ann@example.org", role="USER"))
    key = ApiKey(
        id="key_1",
        user=ann.id,
        name="laptop",
        prefix="sk-12345",
        agents=("guide", "안내"),
        requests_per_minute=60,
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
    )
    await database.write(lambda connection: keys.add(connection, key, "digest 1"))
    return key


async def test_found_by_its_beginning(database: Database, key: ApiKey) -> None:
    """All keys that begin so come with their digests."""
    other = replace(key, id="key_2", agents=None, requests_per_minute=None, expires_at=None)
    await database.write(lambda connection: keys.add(connection, other, "digest 2"))
    found = database.read_now(lambda connection: keys.find(connection, "sk-12345"))
    assert sorted(found, key=lambda pair: pair[1]) == [(key, "digest 1"), (other, "digest 2")]
    assert database.read_now(lambda connection: keys.find(connection, "sk-1234")) == []


async def test_listed(database: Database, key: ApiKey) -> None:
    """Keys come newest first, of one user or of all."""
    newer = replace(key, id="key_2", created_at=NOW + timedelta(seconds=1))
    await database.write(lambda connection: keys.add(connection, newer, "digest 2"))
    assert database.read_now(keys.recent) == [newer, key]
    assert database.read_now(lambda connection: keys.recent(connection, key.user)) == [newer, key]
    assert database.read_now(lambda connection: keys.recent(connection, "user_0")) == []


async def test_used(database: Database, key: ApiKey) -> None:
    """The last use is noted."""
    await database.write(lambda connection: keys.note_use(connection, key.id, NOW))
    assert [each.last_used_at for each in database.read_now(keys.recent)] == [NOW]


async def test_revoked(database: Database, key: ApiKey) -> None:
    """A key is deleted for its user or for anybody, not for another user."""
    assert not await database.write(lambda connection: keys.revoke(connection, key.id, "user_0"))
    assert await database.write(lambda connection: keys.revoke(connection, key.id, key.user))
    assert not await database.write(lambda connection: keys.revoke(connection, key.id))


async def test_all_revoked(database: Database, key: ApiKey) -> None:
    """Every key of a user can be deleted at once."""
    await database.write(lambda connection: keys.revoke_all(connection, "user_0"))
    assert database.read_now(keys.recent) == [key]
    await database.write(lambda connection: keys.revoke_all(connection, key.user))
    assert database.read_now(keys.recent) == []
