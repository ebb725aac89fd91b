"""How runs end early: cancelled, out of time, left behind by a process that is gone, or waited for in vain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from tests.runner.assistants.settled import settle
from tests.runner.assistants.threads import WEATHER, Talked, names, said, talking
from tests.runner.fakes import HANG, FakeProvider, runner_of, wants

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, RateLimited, UnknownName
from agentbench.protocol.assistants.objects import Reason
from agentbench.runner.assistants import answering, working
from agentbench.storage import background, runs
from agentbench.storage.database import Database
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from agentbench.protocol.assistants.objects import Run

pytestmark = pytest.mark.anyio


async def hanging(thread: Talked, provider: FakeProvider) -> Run:
    """Return a run whose model has stopped in the midst of its answer."""
    run = await thread.start()
    await provider.hung.acquire()
    return run


async def change(thread: Talked, run: Run, **values: Any) -> None:
    """Give a stored run other values."""

    def job(connection: Connection) -> None:
        stored = runs.get(connection, run.thread_id, run.id, "kernel")
        assert stored is not None
        runs.save(connection, msgspec.structs.replace(stored, run=msgspec.structs.replace(stored.run, **values)))

    await thread.runner.database.write(job)


async def test_cancelling(database: Database) -> None:
    """A run that answers is cancelling, then cancelled: what was said stays, and its tokens count."""
    provider = FakeProvider("one ", HANG)
    async with talking(database, provider=provider) as thread:
        run = await hanging(thread, provider)
        assert (await thread.desk.cancel(KERNEL, thread.thread, run.id)).status == "cancelling"
        told = names(await thread.told(run))
        assert told[-4:] == ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled"]
        ended = await thread.run(run)
        assert (ended.status, ended.cancelled_at is None) == ("cancelled", False)
        message = (await thread.messages())[-1]
        assert (said(message), message.incomplete_details) == ("one ", Reason(reason="run_cancelled"))
        assert ended.usage is not None
        assert ended.usage.completion_tokens > 0
        with pytest.raises(InvalidRequest, match="'cancelled'"):
            await thread.desk.cancel(KERNEL, thread.thread, run.id)
    assert provider.opened == provider.closed


async def test_cancelling_at_once(database: Database) -> None:
    """A run may be cancelled before it has begun, and ends so whatever it had come to."""
    async with talking(database, ["ok"]) as thread:
        run = await thread.start()
        await thread.desk.cancel(KERNEL, thread.thread, run.id)
        await thread.told(run)
        assert (await thread.run(run)).status == "cancelled"


async def test_cancelling_what_waits(database: Database) -> None:
    """A run that waits for the client is cancelled at once, with its step, and the thread is free."""
    async with talking(database, [wants("weather")], ["ok"], tools=(WEATHER,)) as thread:
        run = await thread.ended()
        cancelled = await thread.desk.cancel(KERNEL, thread.thread, run.id)
        assert (cancelled.status, cancelled.required_action) == ("cancelled", None)
        assert [step.status for step in await thread.steps(run)] == ["cancelled"]
        assert (await thread.ended()).status == "completed"


async def test_cancelling_from_elsewhere(database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process on the database may cancel a run, though it can't follow it."""
    monkeypatch.setattr(working, "SIGN_SECONDS", 0.01)
    provider = FakeProvider("one ", HANG)
    other = Database(f"sqlite:///{tmp_path / 'runner.db'}")
    desk = runner_of(FakeProvider(), other).assistants
    async with talking(database, provider=provider) as thread:
        run = await hanging(thread, provider)
        assert (await desk.run(KERNEL, thread.thread, run.id)).status == "in_progress"
        with pytest.raises(UnknownName):
            desk.follow(run.id)
        assert (await desk.cancel(KERNEL, thread.thread, run.id)).status == "cancelling"
        await thread.told(run)
        assert (await desk.run(KERNEL, thread.thread, run.id)).status == "cancelled"
    other.close()


async def test_a_time_limit(database: Database) -> None:
    """A run that takes too long expires, and its upstream is closed."""
    provider = FakeProvider("one ", HANG)
    async with talking(database, provider=provider) as thread:
        settle(thread.runner, time_limit=0.5)
        with anyio.fail_after(5):
            run = await thread.ended()
        assert (run.status, provider.closed) == ("expired", 1)
        assert (await thread.messages())[-1].incomplete_details == Reason(reason="run_expired")
        assert [step.status for step in await thread.steps(run)] == ["expired"]


@pytest.mark.parametrize("look", ["run", "list", "message", "start"])
async def test_waiting_in_vain(database: Database, look: str) -> None:
    """A run whose client is too late expires as soon as anyone looks, and the thread is free."""
    async with talking(database, [wants("weather")], ["ok"], tools=(WEATHER,)) as thread:
        run = await thread.ended()
        await change(thread, run, expires_at=1)
        looks: dict[str, Callable[[], Any]] = {
            "run": lambda: thread.run(run),
            "list": lambda: thread.desk.runs(KERNEL, thread.thread, Page()),
            "message": lambda: thread.say("And?"),
            "start": thread.ended,
        }
        await looks[look]()
        stored = await database.read(partial(runs.get, thread_id=thread.thread, run_id=run.id, user="kernel"))
        assert stored is not None
        assert stored.run.status == "expired"
        with pytest.raises(InvalidRequest, match="'expired' do not accept"):
            await thread.submit(run, "late")


async def left(thread: Talked, *, ago: float) -> Run:
    """Return a run that a killed process has left, whose last sign of life was so many seconds ago."""
    run = await thread.ended()
    await change(thread, run, status="in_progress")
    when = datetime.now(UTC) - timedelta(seconds=ago)
    await thread.runner.database.write(partial(background.begin, response_id=run.id, now=when))
    return run


async def test_killed(database: Database) -> None:
    """A run whose process gives no sign has expired; one whose process lives goes on."""
    async with talking(database, ["ok"]) as thread:
        run = await left(thread, ago=1)
        assert (await thread.run(run)).status == "in_progress"
        await database.write(
            partial(background.sign, response_id=run.id, now=datetime.now(UTC) - timedelta(seconds=30))
        )
        assert (await thread.run(run)).status == "expired"


async def test_resuming(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next start runs that were left expire: at once, or once their process must be gone."""
    monkeypatch.setattr(answering, "GONE_SECONDS", -0.9)
    async with talking(database, ["ok"]) as thread:
        run = await left(thread, ago=19.95)
        thread.desk.resume()
        thread.desk.resume()
        assert thread.desk._resuming is not None
        await thread.desk._resuming
        stored = await database.read(partial(runs.get, thread_id=thread.thread, run_id=run.id, user="kernel"))
        assert stored is not None
        assert stored.run.status == "expired"


async def test_closing(database: Database) -> None:
    """Runs that a process ends on purpose have failed, and say so; nobody works on them any more."""
    provider = FakeProvider("one ", HANG)
    async with talking(database, provider=provider) as thread:
        run = await hanging(thread, provider)
        await thread.desk.aclose()
        ended = await thread.run(run)
        assert ended.status == "failed"
        assert ended.last_error is not None
        assert ended.last_error.message == "The process that ran it was stopped."
        now = datetime.now(UTC) - timedelta(seconds=60)
        assert not await database.read(partial(background.is_alive, response_id=run.id, since=now))


async def test_the_gateway_stops(database: Database) -> None:
    """Runs that came over HTTP end as the gateway ends its answers."""
    provider = FakeProvider("one ", HANG)
    principal = msgspec.structs.replace(KERNEL, user="ann", remote=True)
    async with talking(database, provider=provider, principal=principal) as thread:
        run = await hanging(thread, provider)
        assert thread.runner.stop_remote()
        await thread.told(run)
        assert (await thread.run(run)).status == "failed"


async def test_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process works on so many runs at once, and no more."""
    monkeypatch.setattr(answering, "MOST_RUNS", 0)
    async with talking(database, ["ok"]) as thread:
        with pytest.raises(RateLimited):
            await thread.start()


async def test_a_vanished_thread(database: Database) -> None:
    """A run whose thread is gone ends quietly."""
    provider = FakeProvider("one ", HANG)
    async with talking(database, provider=provider) as thread:
        run = await hanging(thread, provider)
        await change(thread, run, status="expired")
        await thread.desk.delete_thread(KERNEL, thread.thread)
        thread.desk._works[run.id][0].stop("cancelled")
        with anyio.fail_after(5):
            await thread.told(run)
        with pytest.raises(UnknownName):
            await thread.run(run)
