"""Responses, each with the input of its own turn; `parent` is the response before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "responses",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), sa.ForeignKey("conversations.id", ondelete="CASCADE")),
        sa.Column("parent", sa.Text()),
        sa.Column("agent", sa.Text()),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("cell_id", sa.Text()),
        sa.Column("cell_run", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
    )
    op.create_index("responses_conversation_id", "responses", ["conversation_id"])
