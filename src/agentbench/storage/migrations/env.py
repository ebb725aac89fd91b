"""What alembic runs: the revisions that a database lacks, on the caller's connection and in its transaction."""

from __future__ import annotations

from alembic import context

from agentbench.storage.tables import metadata, version

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=version.name
)
context.run_migrations()
