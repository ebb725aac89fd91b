"""Users and secrets in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from agentbench.storage import secrets, users

if TYPE_CHECKING:
    from agentbench.storage.database import Database
    from agentbench.storage.users import User

pytestmark = pytest.mark.anyio


async def add(database: Database, email: str = "ann@example.org", **fields: str) -> User:
    """Add a user."""
    return await database.write(lambda connection: users.add(connection, email=email, role="USER", **fields))


async def test_found_again(database: Database) -> None:
    """A user is found by id, email and outside identity, as it was added."""
    ann = await add(database, issuer="https://one.example", subject="1")
    found = database.read_now(
        lambda connection: [
            users.get(connection, ann.id),
            users.by_email(connection, ann.email),
            users.by_subject(connection, "https://one.example", "1"),
        ]
    )
    assert found == [ann, ann, ann]
    assert database.read_now(lambda connection: users.by_subject(connection, "https://two.example", "1")) is None


async def test_unique(database: Database) -> None:
    """An email and an outside identity belong to one user each; users without one are many."""
    await add(database, issuer="https://one.example", subject="1")
    await add(database, "bob@example.org")
    await add(database, "cid@example.org")
    with pytest.raises(IntegrityError):
        await add(database)
    with pytest.raises(IntegrityError):
        await add(database, "dan@example.org", issuer="https://one.example", subject="1")
    assert len(database.read_now(users.everyone)) == 3


async def test_passwords(database: Database) -> None:
    """The hash comes with an active user only, and is in no value."""
    ann = await add(database, password="$hash$")
    assert database.read_now(lambda connection: users.with_password(connection, ann.email)) == (ann, "$hash$")
    await database.write(lambda connection: users.change(connection, ann.id, active=False))
    assert database.read_now(lambda connection: users.with_password(connection, ann.email)) is None
    assert "$hash$" not in repr(ann)


async def test_changes(database: Database) -> None:
    """Only what ends sign-ins makes a new generation."""
    ann = await add(database)
    await database.write(lambda connection: users.change(connection, ann.id, role="ADMIN"))
    await database.write(lambda connection: users.change(connection, ann.id, sign_out=True, password="$new$"))
    found = database.read_now(lambda connection: users.get(connection, ann.id))
    assert found is not None
    assert (found.role, found.generation) == ("ADMIN", 1)


async def test_bound_once(database: Database) -> None:
    """An outside identity is bound to a user who has none."""
    ann = await add(database)
    bound = [
        await database.write(lambda connection, subject=subject: users.bind(connection, ann.id, "https://x", subject))
        for subject in ("1", "2")
    ]
    assert bound == [True, False]
    assert database.read_now(lambda connection: users.by_subject(connection, "https://x", "1")) is not None


async def test_secrets(database: Database) -> None:
    """A secret is stored once and not replaced."""
    assert database.read_now(lambda connection: secrets.get(connection, "signing")) is None
    await database.write(lambda connection: secrets.put(connection, "signing", "one"))
    with pytest.raises(IntegrityError):
        await database.write(lambda connection: secrets.put(connection, "signing", "two"))
    assert database.read_now(lambda connection: secrets.get(connection, "signing")) == "one"
