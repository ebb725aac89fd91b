"""What was read out of files: the text, and where in it pages begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select

from agentbench.protocol.values import Value
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["FileText", "get", "remove", "replace", "storable"]

_table = tables.file_texts


class Layout(Value, frozen=True, kw_only=True):
    """All of a `FileText` but the text."""

    markup: str = "plain"
    title: str | None = None
    pages: tuple[int, ...] = ()
    page_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    edited: bool = False


class FileText(Layout, frozen=True, kw_only=True):
    """A file's text; `pages` are the offsets in it, in characters, at which pages begin.

    One that is `edited` was given by a person, and isn't what the file's bytes say.
    """

    text: str


def get(connection: Connection, file_id: str) -> FileText | None:
    """Return what was read out of a file; None before that."""
    row = connection.execute(select(_table).where(_table.c.file_id == file_id)).one_or_none()
    if row is None:
        return None
    layout = msgspec.json.decode(row.layout, type=Layout)
    return FileText(text=row.text, **msgspec.structs.asdict(layout))


def replace(connection: Connection, file_id: str, text: FileText) -> None:
    """Store what was read out of a file, in place of what was there."""
    remove(connection, file_id)
    values = {field: getattr(text, field) for field in Layout.__struct_fields__}
    layout = msgspec.json.encode(Layout(**values)).decode()
    connection.execute(insert(_table), {"file_id": file_id, "text": storable(text.text), "layout": layout})


def remove(connection: Connection, file_id: str) -> None:
    """Forget what was read out of a file."""
    connection.execute(delete(_table).where(_table.c.file_id == file_id))


def storable(text: str) -> str:
    """Replace, one for one, the characters that no database takes: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
