"""How often names did something in the last minute, as all processes count it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rate_limits",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("moments", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("rate_limits_until", "rate_limits", ["until"])
