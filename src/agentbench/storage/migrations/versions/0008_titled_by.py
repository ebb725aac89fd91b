"""Where a title comes from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; the earlier titles stay as they are, like a person's."""
    op.add_column("conversations", sa.Column("titled_by", sa.Text()))
    op.execute("UPDATE conversations SET titled_by = 'person' WHERE title IS NOT NULL")
