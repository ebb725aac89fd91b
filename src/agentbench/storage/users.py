"""Users: who may sign in. Hashing passwords and deciding who gets in is the auth room's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from agentbench.config.remote import Role
from agentbench.protocol.values import Value, new_id
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

__all__ = ["User", "add", "bind", "by_email", "by_subject", "change", "everyone", "get", "with_password"]


class User(Value, frozen=True, kw_only=True):
    """An account; `issuer` and `subject` name the outside identity that is bound to it, if one is.

    A sign-in holds for one `generation`. One that isn't `active` keeps its id and what it made, and gets in nowhere.
    """

    id: str
    email: str
    role: Role
    active: bool = True
    generation: int = 0
    issuer: str | None = None
    subject: str | None = None
    created_at: datetime


def add(
    connection: Connection,
    *,
    email: str,
    role: Role,
    password: str | None = None,
    issuer: str | None = None,
    subject: str | None = None,
    user_id: str | None = None,
) -> User:
    """Add a user; `password` is its hash. A second one of the same email breaks the table's unique index."""
    made = User(
        id=user_id or new_id("user"),
        email=email,
        role=role,
        issuer=issuer,
        subject=subject,
        created_at=datetime.now(UTC),
    )
    row = {field: getattr(made, field) for field in made.__struct_fields__}
    connection.execute(insert(tables.users), row | {"password": password})
    return made


def get(connection: Connection, user_id: str) -> User | None:
    """Return the user of that id, if there is one."""
    return _one(connection, tables.users.c.id == user_id)


def by_email(connection: Connection, email: str) -> User | None:
    """Return the user of exactly that email, if there is one."""
    return _one(connection, tables.users.c.email == email)


def by_subject(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the user to whom that outside identity is bound, if there is one."""
    return _one(connection, (tables.users.c.issuer == issuer) & (tables.users.c.subject == subject))


def with_password(connection: Connection, email: str) -> tuple[User, str | None] | None:
    """Return the active user of that email with the hash of the password, in one query whoever it is."""
    table = tables.users
    query = select(table).where(table.c.email == email, table.c.active)
    row = connection.execute(query).mappings().one_or_none()
    return (_user(row), row["password"]) if row else None


def everyone(connection: Connection) -> list[User]:
    """Return all users, by email."""
    return [_user(row) for row in connection.execute(select(tables.users).order_by(tables.users.c.email)).mappings()]


def change(connection: Connection, user_id: str, *, sign_out: bool = False, **values: Any) -> None:
    """Set columns of a user; `sign_out` ends every sign-in that there is."""
    table = tables.users
    if sign_out:
        values["generation"] = table.c.generation + 1
    connection.execute(update(table).where(table.c.id == user_id).values(values))


def bind(connection: Connection, user_id: str, issuer: str, subject: str) -> bool:
    """Bind an outside identity to a user; False if one is bound already."""
    table = tables.users
    free = (table.c.id == user_id) & table.c.subject.is_(None)
    return connection.execute(update(table).where(free).values(issuer=issuer, subject=subject)).rowcount > 0


def _one(connection: Connection, condition: ColumnElement[bool]) -> User | None:
    row = connection.execute(select(tables.users).where(condition)).mappings().one_or_none()
    return _user(row) if row else None


def _user(row: Any) -> User:
    return User(**{field: row[field] for field in User.__struct_fields__})
