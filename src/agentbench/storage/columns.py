"""The columns that tables share: moments, positions in lists, the thread that a row is of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect

__all__ = ["UTCDateTime", "of_thread", "position"]


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: aware in, stored as UTC, aware out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse a time without a zone, which nobody could place later."""
        if value is not None and value.tzinfo is None:
            raise ValueError("A stored time needs a time zone.")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Name the zone: SQLite has none, PostgreSQL gives the session's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def position() -> Column[int]:
    """Return a column in which the database numbers the rows as they come."""
    return Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def of_thread() -> Column[str]:
    """Return a column with the thread that a row goes with."""
    return Column("thread_id", ForeignKey("threads.id", ondelete="CASCADE"), nullable=False)
