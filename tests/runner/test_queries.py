"""Queries that a model writes, besides the person's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider, answer, play, question
from tests.runner.shelf import FakeLibrary, a_file, reading_runner

from agentbench.errors import UpstreamUnavailable
from agentbench.protocol.items import FunctionCall
from agentbench.runner.queries import QueryWriter
from agentbench.storage import responses, usage

if TYPE_CHECKING:
    from agentbench.runner import Runner
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

WORDS = "How fast is it?"


@pytest.fixture
def library() -> FakeLibrary:
    """Give a library with a file."""
    library = FakeLibrary()
    library.put("birds.txt", "The falcon dives.")
    return library


async def asked(database: Database, library: FakeLibrary, *answers: Any, seconds: float = 20) -> Runner:
    """Ask about the file, of an upstream that answers so; return the runner."""
    provider = SteppedProvider(*answers)
    runner = reading_runner(provider, database, library, rewrite=True)
    runner.grounding._writer = QueryWriter(lambda: runner.catalog, runner.providers, database, seconds=seconds)
    run = play(runner, question(WORDS), documents=(a_file("file-birds.txt"),))
    await answer(run)
    assert run.response.output_text == "Well."
    return runner


async def test_the_own_words_are_searched_too(database: Database, library: FakeLibrary) -> None:
    """They come first; the model's queries follow, three at most, whatever stands around them."""
    told = '<think>{"queries": ["no"]}</think>Sure: {"queries": ["falcon  speed", "", "falcon speed", "b", "c", "d"]}!'
    await asked(database, library, [told], ["Well."])
    assert library.searches == [(WORDS, "falcon speed", "b", "c")]


async def test_the_step_shows_them(database: Database, library: FakeLibrary) -> None:
    """The queries are those of the file_search call."""
    runner = reading_runner(SteppedProvider(['{"queries": ["falcon"]}'], ["Well."]), database, library, rewrite=True)
    run = play(runner, question(WORDS), documents=(a_file("file-birds.txt"),))
    await answer(run)
    call = run.response.output[0]
    assert isinstance(call, FunctionCall)
    assert call.arguments.startswith('{"queries":["How fast is it?","falcon"]')


async def test_it_is_counted(database: Database, library: FakeLibrary) -> None:
    """The call has a row of its own, and leaves no response behind."""
    await asked(database, library, ['{"queries": ["falcon"]}'], ["Well."])
    rows = await database.read(usage.rows)
    assert sorted(row.context for row in rows) == ["message", "retrieval"]
    found = [row.response_id for row in rows if row.context == "retrieval"]
    stored = await database.read(lambda connection: responses.get(connection, found[0] or "", "kernel"))
    assert stored is None


@pytest.mark.parametrize(
    "told",
    [
        ["I don't know."],
        ['{"queries": "falcon"}'],
        ['{"queries": ['],
        [""],
        UpstreamUnavailable("gone"),
        ["half", UpstreamUnavailable("gone")],
        [lambda _: 1 / 0],
    ],
)
async def test_failing_is_harmless(database: Database, library: FakeLibrary, told: Any) -> None:
    """Where the model can't, the person's own words are searched."""
    await asked(database, library, told, ["Well."])
    assert library.searches == [(WORDS,)]


async def test_it_takes_no_longer(database: Database, library: FakeLibrary) -> None:
    """A model that thinks too long isn't waited for."""
    await asked(database, library, [HANG], ["Well."], seconds=0.05)
    assert library.searches == [(WORDS,)]


async def test_only_where_wanted(database: Database, library: FakeLibrary) -> None:
    """Without the setting, and where all is read as a whole, no model is asked."""
    for settings, whole in (({}, False), ({"rewrite": True}, True)):
        provider = FakeProvider()
        run = play(
            reading_runner(provider, database, library, **settings),
            documents=(a_file("file-birds.txt", whole=whole),),
        )
        await answer(run)
        assert len(provider.requests) == 1


async def test_planning_asks_nobody(database: Database, library: FakeLibrary) -> None:
    """What a call would ask counts the passages, and is found without a model's queries."""
    provider = FakeProvider()
    runner = reading_runner(provider, database, library, rewrite=True)
    planned = await play(runner, question("falcon"), documents=(a_file("file-birds.txt"),)).planned()
    assert "The falcon dives." in str(planned.input)
    assert provider.requests == []


async def test_what_it_reads(database: Database, library: FakeLibrary) -> None:
    """It gets the conversation, so that its queries make sense without it."""
    provider = SteppedProvider(["A falcon."], ['{"queries": []}'], ["Well."])
    runner = reading_runner(provider, database, library, rewrite=True)
    first = play(runner, question("Which bird is fastest?"))
    await answer(first)
    follow = question(WORDS, previous_response_id=first.response.id)
    await answer(play(runner, follow, documents=(a_file("file-birds.txt"),)))
    (message,) = provider.requests[1].input
    text = getattr(message, "text", "")
    assert text.endswith("user: Which bird is fastest?\n\nassistant: A falcon.\n\nuser: How fast is it?")
