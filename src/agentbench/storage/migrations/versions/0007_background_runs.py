"""Responses that are being made in the background, so that those of a process that died are told from others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "background_runs",
        sa.Column("response_id", sa.Text(), primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
    )
