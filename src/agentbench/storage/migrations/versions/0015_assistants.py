"""Assistants, numbered as they come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "assistants",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("assistants_id", "assistants", ["id"], unique=True)
    op.create_index("assistants_user_name", "assistants", ["user", "name"])
