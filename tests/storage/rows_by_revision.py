"""Rows as a database of each revision may hold them, and what later revisions make of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, insert, select

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    Rows = tuple[tuple[str, dict[str, Any]], ...]
    Contents = dict[str, list[dict[str, Any]]]

__all__ = ["ROWS", "add_rows", "as_later", "contents"]

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
MADE = {"created_at": MOMENT, "updated_at": MOMENT}
ANN = {"user": "ann"}
CALL = {**ANN, "time": MOMENT, "endpoint": "local", "model": "m", "duration": 1.5, "status": "completed"}
FILE = {
    "name": "모음.txt",
    "search_key": "모음.txt",
    "kind": "upload",
    "content_type": "text/plain",
    "size": 6,
    "digest": "d",
    "status": "completed",
    "characters": 2,
    "passages": 1,
    "meta": "{}",
    "version": 1,
    "attempts": 1,
}
COLLECTION = {"handle": "c", "kind": "collection", "name": "C", "description": "", "search_key": "c", "meta": "{}"}

ROWS: dict[str, Rows] = {
    "0001": (
        ("conversations", {**ANN, **MADE, "id": "conv_1", "title": "계획", "head": "resp_1"}),
        ("conversations", {**ANN, **MADE, "id": "conv_2", "title": None}),
    ),
    "0002": (
        (
            "responses",
            {
                **ANN,
                "id": "resp_1",
                "conversation_id": "conv_1",
                "endpoint": "local",
                "created_at": MOMENT,
                "input": "[]",
                "response": '{"text": "답"}',
            },
        ),
    ),
    "0003": (
        ("usage", {**CALL, "id": "u1", "context": "chat", "cost": 0.5, "conversation_id": "conv_1"}),
        ("usage", {**CALL, "id": "u2", "context": "compact", "cost": None}),
        ("usage", {**CALL, "id": "u3", "context": "title", "output_tokens": 7}),
    ),
    "0004": (
        (
            "users",
            {"id": "ann", "email": "a@b.c", "role": "USER", "active": True, "generation": 3, "created_at": MOMENT},
        ),
    ),
    "0005": (("api_keys", {**ANN, "id": "key_1", "name": "k", "prefix": "sk-1", "digest": "d", "created_at": MOMENT}),),
    "0006": (("secrets", {"name": "signing", "value": "s"}),),
    "0007": (("background_runs", {"response_id": "resp_1", "seen_at": MOMENT, "stop": False}),),
    "0008": (("conversations", {**ANN, **MADE, "id": "conv_3", "title": "T", "titled_by": "model"}),),
    "0009": (
        ("usage", {**CALL, "id": "u4", "context": "message", "cost": 1.0, "credits": 2.0, "key_id": "key_1"}),
        ("usage", {**CALL, "id": "u5", "context": "message", "step": 2, "input_rate": 0.3, "estimated": True}),
    ),
    "0010": (
        ("balances", {**ANN, "microcredits": 2**40, "last_refill": MOMENT, "created_at": MOMENT}),
        ("reservations", {**ANN, "id": "r", "microcredits": 5, "expires_at": MOMENT}),
        ("balance_changes", {**ANN, "id": "b", "time": MOMENT, "microcredits": -5, "reason": "set"}),
    ),
    "0011": (("files", {**ANN, **MADE, **FILE, "id": "file_1"}),),
    "0012": (
        ("file_parts", {"file_id": "file_1", "number": 0, "data": b"\x00\xff"}),
        ("file_texts", {"file_id": "file_1", "text": "가나", "layout": "{}"}),
    ),
    "0013": (
        (
            "passages",
            {
                "file_id": "file_1",
                "number": 0,
                "text": "가나",
                "start": 0,
                "end": 2,
                "text_hash": -(2**40),
                "terms": b"t",
                "embedding": b"\x00\x00\x80?",
            },
        ),
    ),
    "0014": (
        ("collections", {**ANN, **MADE, **COLLECTION, "id": "col_1", "version": 4}),
        ("collection_files", {"collection_id": "col_1", "file_id": "file_1", "added_at": MOMENT}),
        ("pending_links", {"collection_id": "col_1", "file_id": "file_1"}),
        (
            "grants",
            {"id": "g", "collection_id": "col_1", "user": "bob", "permission": "read", "created_at": MOMENT},
        ),
    ),
    "0015": (("assistants", {**ANN, "position": 7, "id": "asst_1", "body": "{}"}),),
    "0016": (
        ("threads", {**ANN, "id": "thread_1", "body": "{}"}),
        ("thread_messages", {"position": 3, "id": "msg_1", "thread_id": "thread_1", "body": "{}"}),
    ),
    "0017": (
        ("thread_runs", {**ANN, "id": "run_1", "thread_id": "thread_1", "status": "queued", "body": "{}"}),
        ("run_steps", {"id": "step_1", "thread_id": "thread_1", "run_id": "run_1", "body": "{}"}),
    ),
    "0018": (("rate_limits", {"name": "key key_1", "moments": "[]", "until": MOMENT}),),
}
"""By revision: rows that only a database of it, or of a later one, can hold."""

RENAMED = {"chat": "message", "compact": "compaction"}


def add_rows(connection: Connection, revision: str) -> None:
    """Add what the revision made room for."""
    for name, row in ROWS[revision]:
        connection.execute(insert(Table(name, MetaData(), autoload_with=connection)).values(row))


def contents(connection: Connection, like: Contents | None = None) -> Contents:
    """Return all rows by table; with `like`, only those tables and columns that it has."""
    known = MetaData()
    known.reflect(connection, only=None if like is None else list(like))
    return {name: _rows(connection, table, (like or {}).get(name)) for name, table in known.tables.items()}


def _rows(connection: Connection, table: Table, like: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    names = {name for row in like for name in row} if like else set(table.columns.keys())
    query = select(*(column for column in table.columns if column.name in names)).order_by(*table.primary_key)
    return [dict(row) for row in connection.execute(query).mappings()]


def as_later(before: Contents) -> Contents:
    """Return rows of before as the newest revision has them, in the columns that they had."""
    usage = [row | {"context": RENAMED.get(row["context"], row["context"])} for row in before.get("usage", [])]
    kept = {name: rows for name, rows in before.items() if name != "agentbench_version"}
    return kept | {"usage": usage} if usage else kept
