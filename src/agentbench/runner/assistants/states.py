"""Runs in the database: changed under a lock on their thread, and expired once nobody works on them or waits any more.

All functions are jobs of one transaction.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agentbench.errors import UnknownName
from agentbench.protocol.assistants.objects import TERMINAL
from agentbench.runner.assistants.endings import closed_message, closed_step, ended
from agentbench.storage import background, runs, threads

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from sqlalchemy import Connection

    from agentbench.protocol.assistants.objects import RunStatus
    from agentbench.storage.runs import StoredRun

__all__ = ["GONE_SECONDS", "changed", "close", "find", "look_at"]

GONE_SECONDS = 20.0
"""Without a sign of life for so long, a process counts as gone."""


def find(connection: Connection, thread_id: str, run_id: str, user: str) -> StoredRun:
    """Return a user's run; raises `UnknownName`."""
    if threads.get(connection, thread_id, user) is None:
        raise UnknownName("thread", thread_id)
    found = runs.get(connection, thread_id, run_id, user)
    if found is None:
        raise UnknownName("run", run_id)
    return found


def changed(
    connection: Connection, stored: StoredRun, change: Callable[[StoredRun], StoredRun]
) -> tuple[StoredRun | None, bool]:
    """Change a run as it is now, unless it has ended; returns it, None if it is gone, and whether it was changed."""
    run = stored.run
    threads.lock(connection, run.thread_id)
    now = runs.get(connection, run.thread_id, run.id, stored.user)
    if now is None or now.run.status in TERMINAL:
        return now, False
    made = change(now)
    runs.save(connection, made)
    return made, True


def close(connection: Connection, stored: StoredRun, status: RunStatus) -> StoredRun:
    """End a run that nobody works on, with its steps and messages."""
    stored = ended(stored, status)
    runs.save(connection, stored)
    background.end(connection, stored.run.id)
    for step in runs.all_steps(connection, stored.run.id):
        if step.status == "in_progress":
            runs.save_step(connection, closed_step(step, status))
    for message in threads.all_messages(connection, stored.run.thread_id):
        if message.run_id == stored.run.id and message.status == "in_progress":
            threads.save_message(connection, closed_message(message, status))
    return stored


def look_at(connection: Connection, stored: StoredRun, here: Container[str]) -> StoredRun:
    """Return a run as it is now; it has expired if it waited too long, or if its process is gone. `here` are alive."""
    if not _is_lost(connection, stored, here):
        return stored
    threads.lock(connection, stored.run.thread_id)
    now = runs.get(connection, stored.run.thread_id, stored.run.id, stored.user)
    if now is None or not _is_lost(connection, now, here):
        return now or stored
    return close(connection, now, "expired")


def _is_lost(connection: Connection, stored: StoredRun, here: Container[str]) -> bool:
    run = stored.run
    if run.status in TERMINAL or run.id in here:
        return False
    if run.status == "requires_action":
        return run.expires_at is not None and time.time() >= run.expires_at
    since = datetime.now(UTC) - timedelta(seconds=GONE_SECONDS)
    return not background.is_alive(connection, run.id, since)
