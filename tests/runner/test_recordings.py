"""The ring of the newest runs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.runner.fakes import HANG, FakeProvider, answer, drain, play, question, runner_of

from agentbench.errors import InvalidRequest, UnknownName, UpstreamUnavailable
from agentbench.protocol.recording import event_object
from agentbench.runner.recordings import Recordings, Trace, recording_of
from agentbench.storage import responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.protocol import Event
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


def trace(name: str = "resp_a", events: int = 0) -> Trace:
    """Return a trace of so many events."""
    made = Trace(name, question(), "fake/m")
    made.count = events
    return made


class UnreachedProvider(FakeProvider):
    """Waits for its upstream for ever."""

    @asynccontextmanager
    async def open(self, *_: object) -> AsyncIterator[AsyncIterator[str]]:
        """Never get there."""
        self.hung.release()
        await anyio.sleep_forever()
        yield self._sent()


@pytest.fixture
def ring() -> Recordings:
    """Give an empty ring."""
    return Recordings()


async def test_a_run_is_recorded_as_it_came(database: Database) -> None:
    """The recording has the run's events, a time for each that never decreases, its question and who answered."""
    runner = runner_of(FakeProvider(), database)
    run = play(runner)
    events = await drain(run)
    recording = recording_of(runner.recordings, database, run.response, user="kernel")
    assert list(recording.events) == list(map(event_object, events))
    assert list(recording.times) == sorted(recording.times)
    assert len(recording.times) == len(events)
    assert (recording.source, recording.response_id) == (run.target.name, run.response.id)
    assert recording.request is not None
    assert recording.request["input"][0]["content"][0]["text"] == "What?"


async def test_a_run_can_be_looked_at_while_it_goes_on(database: Database) -> None:
    """What has come is there; the last event tells whether there will be more."""
    runner = runner_of(FakeProvider("one ", HANG), database)
    run = play(runner)
    batches = run.events()
    came: list[Event] = list(await anext(batches))
    [running] = runner.recordings.newest(user="kernel")
    assert running.last == came[-1]
    assert len(running.recording().events) == len(came)
    await batches.aclose()
    assert running.last is not None
    assert event_object(running.last)["type"] == "response.incomplete"


@pytest.mark.parametrize(
    ("error", "told"),
    [(UpstreamUnavailable("Down."), "Down."), (KeyError("a secret"), "agentbench failed (KeyError).")],
)
async def test_a_run_that_was_refused_has_ended(database: Database, error: Exception, told: str) -> None:
    """A refusal before the first event leaves an empty recording, which says why; only our own errors' words do."""
    runner = runner_of(FakeProvider(refusals=(error,)), database)
    with pytest.raises(type(error)):
        await drain(play(runner))
    [made] = runner.recordings.newest(user="kernel")
    assert (made.recording().events, made.last, made.ended) == ((), None, True)
    assert made.recording().notes == (f"There was no answer: {told}",)


async def test_a_run_without_an_event_yet_has_its_id(database: Database) -> None:
    """Whoever looks before the first event can look again later; it hasn't ended."""
    provider = UnreachedProvider()
    runner = runner_of(provider, database)
    run = play(runner)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drain, run)
        await provider.hung.acquire()
        recording = recording_of(runner.recordings, database, run.response, user="kernel")
        [made] = runner.recordings.newest(user="kernel")
        assert (recording.events, recording.response_id, made.ended) == ((), run.response.id, False)
        run.stop()
    assert made.ended


def test_the_newest_come_first(ring: Recordings) -> None:
    """The list begins with the run that began last, and can be cut."""
    for name in "abc":
        ring.begin(trace(name), user="kernel")
    assert [each.response_id for each in ring.newest(user="kernel")] == ["c", "b", "a"]
    assert [each.response_id for each in ring.newest(user="kernel", limit=1)] == ["c"]


def test_at_most_64_runs_are_kept(ring: Recordings) -> None:
    """The oldest make room."""
    for number in range(70):
        ring.begin(trace(str(number)), user="kernel")
    kept = [each.response_id for each in ring.newest(user="kernel")]
    assert (len(kept), kept[-1]) == (64, "6")


def test_at_most_200_000_events_are_kept(ring: Recordings) -> None:
    """Long runs make room sooner; the one that begins is always kept."""
    for name in "abc":
        ring.begin(trace(name, 90_000), user="kernel")
    assert [each.response_id for each in ring.newest(user="kernel")] == ["c", "b"]
    ring.begin(trace("huge", 900_000), user="kernel")
    assert [each.response_id for each in ring.newest(user="kernel")] == ["huge"]


def test_nobody_sees_anothers_runs(ring: Recordings) -> None:
    """A run of another user is not listed, nor found by its id."""
    ring.begin(trace("a"), user="ada")
    assert ring.newest(user="kernel") == []
    assert ring.get("a", user="kernel") is None
    assert ring.get("a", user="ada") is not None


async def test_another_users_run_is_unknown(database: Database) -> None:
    """Neither the ring nor the database tells of it."""
    runner = runner_of(FakeProvider(), database)
    response = await answer(play(runner))
    with pytest.raises(UnknownName):
        recording_of(runner.recordings, database, response, user="ada")


async def test_without_a_name_it_is_the_newest(database: Database) -> None:
    """The run that began last is meant; before the first run that is an error."""
    runner = runner_of(FakeProvider(), database)
    with pytest.raises(InvalidRequest, match="Nothing was asked"):
        recording_of(runner.recordings, database, None, user="kernel")
    await answer(play(runner))
    newest = await answer(play(runner))
    assert recording_of(runner.recordings, database, None, user="kernel").response_id == newest.id


async def test_after_a_restart_it_is_made_from_what_is_stored(database: Database) -> None:
    """A ring of a new process has nothing: the stored response gives its items, without times, and says so."""
    runner = runner_of(FakeProvider(), database)
    response = await answer(play(runner))
    recording = recording_of(Recordings(), database, response.id, user="kernel")
    stored = await database.read(partial(responses.get, response_id=response.id, user="kernel"))
    assert stored is not None
    assert (recording.rebuilt, recording.times, recording.started_at) == (True, (), stored.created_at)
    assert recording.events[-1]["response"]["output"][0]["content"][0]["text"] == "one two three"


def test_an_unknown_response_names_those_that_are_known(database: Database, ring: Recordings) -> None:
    """A slip in an id is met with the nearest one."""
    ring.begin(trace("resp_abc"), user="kernel")
    with pytest.raises(UnknownName, match="resp_abc"):
        recording_of(ring, database, "resp_abd", user="kernel")


def test_recording_takes_less_than_a_microsecond_an_event() -> None:
    """Streams have thousands of events: what is done for each on their way must not be felt."""
    batch: list[Event] = []
    best = 1.0
    for _ in range(50):
        made = trace()
        start = perf_counter()
        for _ in range(1000):
            made.add(batch)
        best = min(best, (perf_counter() - start) / 1000)
    assert best < 1e-6
