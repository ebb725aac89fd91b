"""Runs the SQL of migrations, which is one text for both kinds of databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["run_statements"]


def run_statements(connection: Connection, *statements: str) -> None:
    """Run statements in which names in braces stand for the dialect's types and for what several tables have."""
    of_file = "FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE"
    of_collection = "FOREIGN KEY (collection_id) REFERENCES collections (id) ON DELETE CASCADE"
    names = {
        "link": "collection_id TEXT NOT NULL, file_id TEXT NOT NULL",
        "of_both": f"PRIMARY KEY (collection_id, file_id), {of_collection}, {of_file}",
        "of_collection": of_collection,
        "of_file": of_file,
        "of_thread": "FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE",
    }
    if connection.dialect.name == "postgresql":
        names |= {
            "time": "TIMESTAMP WITH TIME ZONE",
            "real": "DOUBLE PRECISION",
            "bytes": "BYTEA",
            "number": "BIGSERIAL",
        }
    else:
        names |= {"time": "DATETIME", "real": "DOUBLE", "bytes": "BLOB", "number": "INTEGER"}
    for statement in statements:
        connection.exec_driver_sql(statement.format(**names))
