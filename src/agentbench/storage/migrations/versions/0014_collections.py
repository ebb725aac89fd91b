"""Collections of files, and who else may read or write them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "collections",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("meta", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("collections_user_handle", "collections", ["user", "handle"], unique=True)
    op.create_table(
        "collection_files",
        sa.Column("collection_id", sa.Text(), sa.ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("file_id", sa.Text(), sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("collection_files_file_id", "collection_files", ["file_id"])
    op.create_table(
        "pending_links",
        sa.Column("collection_id", sa.Text(), sa.ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("file_id", sa.Text(), sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("pending_links_file_id", "pending_links", ["file_id"])
    op.create_table(
        "grants",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("collection_id", sa.Text(), sa.ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("grants_collection_id", "grants", ["collection_id", "user", "permission"], unique=True)
