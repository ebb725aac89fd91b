"""Runs of threads, and their steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "thread_runs",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), sa.ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("thread_runs_id", "thread_runs", ["id"], unique=True)
    op.create_index("thread_runs_thread_id", "thread_runs", ["thread_id", "position"])
    op.create_index("thread_runs_status", "thread_runs", ["status"])
    op.create_table(
        "run_steps",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("thread_id", sa.Text(), sa.ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("run_steps_id", "run_steps", ["id"], unique=True)
    op.create_index("run_steps_run_id", "run_steps", ["run_id", "position"])
    op.create_index("run_steps_thread_id", "run_steps", ["thread_id"])
