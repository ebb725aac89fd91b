"""Sealing items: what only this workbench's database can open again, and only for the user whose items they are."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol import InputItem
from agentbench.protocol.items import Compaction
from agentbench.protocol.values import Value, new_id
from agentbench.storage import secrets

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["compaction_key", "is_ours", "sealed", "stored_key", "unsealed"]

_KEY_NAME = "compaction"
_MARK = "agentbench.1."
"""Tells our seals from those of providers, which open theirs themselves."""


class _Content(Value, frozen=True, kw_only=True):
    user: str
    items: tuple[InputItem, ...]


def stored_key(connection: Connection) -> str | None:
    """Return the key of this database's seals; None while nothing was ever sealed."""
    return secrets.get(connection, _KEY_NAME)


def compaction_key(connection: Connection) -> str:
    """Return the key of this database's seals, made on first use; needs a connection that may write."""
    from cryptography.fernet import Fernet

    key = stored_key(connection)
    if key is None:
        key = Fernet.generate_key().decode()
        secrets.put(connection, _KEY_NAME, key)
    return key


def is_ours(item: Compaction) -> bool:
    """Tell whether the item was sealed by an agentbench."""
    return item.encrypted_content.startswith(_MARK)


def sealed(items: tuple[InputItem, ...], key: str, user: str) -> Compaction:
    """Return the items as one that only `unsealed` can read."""
    from cryptography.fernet import Fernet

    plain = zlib.compress(msgspec.json.encode(_Content(user=user, items=items)))
    return Compaction(id=new_id("cmp"), encrypted_content=_MARK + Fernet(key).encrypt(plain).decode())


def unsealed(item: Compaction, key: str | None, user: str) -> tuple[InputItem, ...]:
    """Return the items within; raises `InvalidRequest` if they were sealed elsewhere, or for someone else."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        plain = Fernet(key or "").decrypt(item.encrypted_content.removeprefix(_MARK))
    except (InvalidToken, ValueError):
        raise _unreadable(item) from None
    content = msgspec.json.decode(zlib.decompress(plain), type=_Content)
    if content.user != user:
        raise _unreadable(item)
    return content.items


def _unreadable(item: Compaction) -> InvalidRequest:
    return InvalidRequest(f"The compaction {item.id!r} can't be read here. Send the items instead.", param="input")
