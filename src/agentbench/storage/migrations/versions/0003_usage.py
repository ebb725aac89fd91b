"""The usage ledger, one row a call to a provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "usage",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text()),
        sa.Column("response_id", sa.Text()),
        sa.Column("cell_id", sa.Text()),
        sa.Column("execution_count", sa.Integer()),
        sa.Column("agent", sa.Text()),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer()),
        sa.Column("cached_tokens", sa.Integer()),
        sa.Column("cache_write_tokens", sa.Integer()),
        sa.Column("output_tokens", sa.Integer()),
        sa.Column("reasoning_tokens", sa.Integer()),
        sa.Column("cost", sa.Double()),
        sa.Column("time_to_first_token", sa.Double()),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_type", sa.Text()),
    )
    op.create_index("usage_user_time", "usage", ["user", "time"])
    op.create_index("usage_conversation_id", "usage", ["conversation_id"])
