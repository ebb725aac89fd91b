"""From the bearer of an outside issuer's token to a user here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from agentbench.auth.emails import email_key, new_email
from agentbench.auth.principal import KERNEL, KERNEL_EMAIL
from agentbench.errors import InvalidRequest, NotAuthenticated
from agentbench.storage import users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.auth.principal import Bearer
    from agentbench.storage.database import Database
    from agentbench.storage.users import User

__all__ = ["user_of"]


async def user_of(database: Database, bearer: Bearer, *, provision: bool) -> User:
    """Return the bearer's user: bound to that subject, else of that email, which is bound then.

    With `provision` somebody unknown becomes a user. Raises `NotAuthenticated`, in the same words whatever the reason.
    """
    found = await database.read(lambda connection: users.by_subject(connection, bearer.issuer, bearer.subject))
    if found is None:
        try:
            found = await database.write(lambda connection: _bound(connection, bearer, provision=provision))
        except IntegrityError:  # two first requests at once, at two gateways
            found = await database.read(lambda connection: users.by_subject(connection, bearer.issuer, bearer.subject))
    if found is None or not found.active:
        raise NotAuthenticated("The token is valid, but no account here goes with it. Ask the operator for one.")
    return found


def _bound(connection: Connection, bearer: Bearer, *, provision: bool) -> User | None:
    """Bind the subject to the user of its email, or to a new one; None if neither may be."""
    if (found := users.by_subject(connection, bearer.issuer, bearer.subject)) is not None:  # bound a moment ago
        return found
    if bearer.name is None:
        return None
    known = users.by_email(connection, email_key(bearer.name))
    if known is None:
        return _provisioned(connection, bearer) if provision else None
    if known.id == KERNEL.user or not known.active:
        return None
    return known if users.bind(connection, known.id, bearer.issuer, bearer.subject) else None


def _provisioned(connection: Connection, bearer: Bearer) -> User | None:
    try:
        email = new_email(bearer.name or "")
    except InvalidRequest:
        return None
    if email == KERNEL_EMAIL:
        return None
    return users.add(connection, email=email, role="USER", issuer=bearer.issuer, subject=bearer.subject)
