"""Runs of threads and their steps. That a process works on a run, `background` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import insert, select, update

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.objects import ACTIVE, Run, RunStep, RunUsage
from agentbench.protocol.values import Value
from agentbench.storage import tables, threads
from agentbench.storage.file_texts import storable
from agentbench.storage.paging import rows_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.paging import Page

__all__ = [
    "StoredRun",
    "active",
    "add",
    "all_steps",
    "get",
    "page",
    "save",
    "save_step",
    "step",
    "steps",
    "unfinished",
]


class StoredRun(Value, frozen=True, kw_only=True):
    """A run and its owner.

    `responses` are the ids of the stored responses that it consists of, `worked` the seconds of work and `used` the
    tokens so far, `include` what its steps are to tell besides. `agent` is the agent of the config that answers, if it
    is one. Vector stores that are searched and files that code may read come with the user whose right to read counts.
    """

    run: Run
    user: str
    responses: tuple[str, ...] = ()
    worked: float = 0.0
    used: RunUsage = RunUsage(prompt_tokens=0, completion_tokens=0, total_tokens=0)
    include: tuple[str, ...] = ()
    agent: str | None = None
    searched: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()


_table, _steps = tables.thread_runs, tables.run_steps
_run = msgspec.json.Decoder(StoredRun)
_step = msgspec.json.Decoder(RunStep)


def add(connection: Connection, stored: StoredRun) -> None:
    """Store a new run; raises `InvalidRequest` while another is active, and `UnknownName` if the thread is gone."""
    run = stored.run
    if not threads.lock(connection, run.thread_id):
        raise UnknownName("thread", run.thread_id)
    if (other := active(connection, run.thread_id)) is not None:
        raise InvalidRequest(f"Thread {run.thread_id} already has an active run {other.run.id}.", param="thread_id")
    row = {"id": run.id, "thread_id": run.thread_id, "user": stored.user, "status": run.status, "body": _json(stored)}
    connection.execute(insert(_table), row)


def get(connection: Connection, thread_id: str, run_id: str, user: str) -> StoredRun | None:
    """Return a run of the user's; None if there is none in that thread, or it is another user's."""
    here = (_table.c.id == storable(run_id)) & (_table.c.thread_id == thread_id) & (_table.c.user == user)
    body = connection.scalar(select(_table.c.body).where(here))
    return None if body is None else _run.decode(body)


def save(connection: Connection, stored: StoredRun) -> None:
    """Store other values of a run; one that is gone stays so."""
    values = {"status": stored.run.status, "body": _json(stored)}
    connection.execute(update(_table).where(_table.c.id == stored.run.id).values(values))


def page(connection: Connection, thread_id: str, page: Page) -> list[StoredRun]:
    """Return a page of a thread's runs, and one more if there are more."""
    found = rows_of(connection, _table, _table.c.thread_id == thread_id, page)
    return [_run.decode(row["body"]) for row in found]


def active(connection: Connection, thread_id: str) -> StoredRun | None:
    """Return the run that keeps anything else from happening on a thread."""
    here = (_table.c.thread_id == thread_id) & _table.c.status.in_(ACTIVE)
    body = connection.scalar(select(_table.c.body).where(here))
    return None if body is None else _run.decode(body)


def unfinished(connection: Connection) -> list[StoredRun]:
    """Return all active runs, whoever's they are, oldest first."""
    query = select(_table.c.body).where(_table.c.status.in_(ACTIVE)).order_by(_table.c.position)
    return [_run.decode(body) for body in connection.scalars(query)]


def save_step(connection: Connection, step: RunStep) -> None:
    """Store a step in its place, or after all others if it is new."""
    body = _json(step)
    if connection.execute(update(_steps).where(_steps.c.id == step.id).values(body=body)).rowcount == 0:
        row = {"id": step.id, "thread_id": step.thread_id, "run_id": step.run_id, "body": body}
        connection.execute(insert(_steps), row)


def step(connection: Connection, run_id: str, step_id: str) -> RunStep | None:
    """Return a step of a run."""
    here = (_steps.c.id == storable(step_id)) & (_steps.c.run_id == run_id)
    body = connection.scalar(select(_steps.c.body).where(here))
    return None if body is None else _step.decode(body)


def steps(connection: Connection, run_id: str, page: Page) -> list[RunStep]:
    """Return a page of a run's steps, and one more if there are more."""
    return [_step.decode(row["body"]) for row in rows_of(connection, _steps, _steps.c.run_id == run_id, page)]


def all_steps(connection: Connection, run_id: str) -> tuple[RunStep, ...]:
    """Return a run's steps, oldest first."""
    query = select(_steps.c.body).where(_steps.c.run_id == run_id).order_by(_steps.c.position)
    return tuple(_step.decode(body) for body in connection.scalars(query))


def _json(value: StoredRun | RunStep) -> str:
    return msgspec.json.encode(value).decode()
