"""One row a model call: who paid by which rates, from which notebook, and whether its tokens are an estimate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns, name what calls are for anew, and count what they cost in millionths."""
    op.add_column("usage", sa.Column("key_id", sa.Text()))
    op.add_column("usage", sa.Column("notebook", sa.Text()))
    op.add_column("usage", sa.Column("step", sa.Integer()))
    op.add_column("usage", sa.Column("input_rate", sa.Double()))
    op.add_column("usage", sa.Column("cached_rate", sa.Double()))
    op.add_column("usage", sa.Column("cache_write_rate", sa.Double()))
    op.add_column("usage", sa.Column("output_rate", sa.Double()))
    op.add_column("usage", sa.Column("rate_source", sa.Text()))
    op.add_column("usage", sa.Column("credits", sa.Double()))
    op.add_column("usage", sa.Column("estimated", sa.Boolean()))
    op.add_column("usage", sa.Column("flags", sa.Text()))
    op.execute("UPDATE usage SET context = 'message' WHERE context = 'chat'")
    op.execute("UPDATE usage SET context = 'compaction' WHERE context = 'compact'")
    op.execute("UPDATE usage SET credits = cost * 1000000")
