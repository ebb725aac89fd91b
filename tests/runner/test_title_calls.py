"""Asking a model for a title: whom, what goes wrong, and what it takes."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import HANG, FakeProvider, answer, catalog, drain, play, question
from tests.runner.talks import ByName, Talk, spend

from agentbench.config import LOCAL_MODEL, Agent, Endpoint, Titles, load
from agentbench.errors import UpstreamRefused, UpstreamUnavailable
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message
from agentbench.providers import Providers
from agentbench.runner import Cell, Runner
from agentbench.runner.titles import Titler
from agentbench.storage import conversations, usage

if TYPE_CHECKING:
    from tests.runner.talks import Make

    from agentbench.protocol import EventBuilder
    from agentbench.storage.database import Database


pytestmark = pytest.mark.anyio


def broken(builder: EventBuilder) -> None:
    """Fail as a decoder with a bug does."""
    raise KeyError("inside")


# -- who makes it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("titles", "asked"),
    [
        ({}, "names/small"),
        ({"model": "current_model"}, "names/small"),
        ({"model": "tiny"}, "names/tiny"),
        ({"endpoint": "NAMES"}, "names/small"),
        ({"endpoint": None}, "says/n"),
        ({"endpoint": None, "model": "current_model"}, "says/n"),
        ({"endpoint": None, "model": "tiny"}, "says/tiny"),
        ({"endpoint": "says"}, "says/n"),
    ],
)
async def test_who_makes_it(make: Make, titles: dict[str, Any], asked: str) -> None:
    """The model that is set, or the one that answers; another endpoint's own default, never a foreign name."""
    talk = make(FakeProvider("Blue Sky"), **titles)
    await talk.ask(request={"model": "says/n"})
    (row,) = await talk.title_rows()
    assert f"{row.endpoint}/{row.model}" == asked
    requests = talk.names.requests if asked.startswith("names") else talk.says.requests
    assert asked.endswith(requests[-1].model or "?")


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("nams", "There is no endpoint 'nams'. Did you mean 'names'?"),
        ("bare", "bare has no default model. Set titleModel beside titleEndpoint."),
        ("later", "later can't be used yet."),
    ],
)
async def test_nobody_to_make_it(
    database: Database, make: Make, caplog: pytest.LogCaptureFixture, endpoint: str, message: str
) -> None:
    """The log says what to set, and the first words stay."""
    talk = make(FakeProvider("Blue Sky"), endpoint=endpoint)
    more = (
        Endpoint(name="bare", provider="scripted"),
        Endpoint(name="later", provider="scripted", models=("m",), unsupported="later can't be used yet."),
    )
    talk.runner = Runner(catalog(*talk.runner.catalog.endpoints.values(), *more), Providers(), database)
    made: Any = talk.runner.providers._made  # type: ignore[attr-defined]
    made["scripted"] = talk.says
    with caplog.at_level(logging.WARNING, "agentbench"):
        await talk.ask()
    assert [record.message for record in caplog.records] == [f"No model named conversation {talk.id}: {message}"]
    assert await talk.title() == ("Why is the sky blue?", "words")


async def test_a_catalog_that_changed(make: Make) -> None:
    """Who makes titles is looked up when one is to be made."""
    talk = make(FakeProvider("Blue Sky"))
    answering, _ = talk.runner.catalog.endpoints.values()
    talk.runner.catalog = catalog(answering, Endpoint(name="names", provider="scripted", models=("big",)))
    await talk.ask()
    assert [row.model for row in await talk.title_rows()] == ["big"]


async def test_an_agent_does_not_make_it(database: Database) -> None:
    """Its model is asked, without its instructions, parameters and past."""
    endpoint = Endpoint(name="says", provider="scripted", models=("m",), titles=Titles(enabled=True))
    agent = Agent(id="bot", name="Bot", endpoint="says", instructions="Speak in verse.")
    conversation = await database.write(partial(conversations.create, user="kernel"))
    talk = Talk(database, conversation, FakeProvider(), FakeProvider())
    providers: Any = ByName(says=talk.names)
    talk.runner = Runner(catalog(endpoint, agents=(agent,)), providers, database)
    await talk.ask(agent="bot")
    spoken, named = sorted(talk.names.requests, key=lambda request: request.instructions is None)
    assert (spoken.instructions, named.instructions) == ("Speak in verse.", None)
    assert (named.tools, named.reasoning, named.max_output_tokens, len(named.input)) == ((), None, 2000, 1)


# -- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (FakeProvider(refusals=(UpstreamRefused("No."),)), [("failed", "upstream_refused")]),
        (FakeProvider("Blue", UpstreamUnavailable("Dead.")), [("failed", "upstream_unavailable")]),
        (FakeProvider("Blue", broken), [("failed", "server_error")]),
        (FakeProvider(refusals=(KeyError("a bug"),)), [("failed", "server_error")]),
        (FakeProvider("<think>Hm."), [("completed", None)]),
        (FakeProvider(lambda builder: builder.refusal("No.")), [("completed", None)]),
    ],
    ids=["refused", "broken off", "a decoder's bug", "a bug", "no title", "a refusal"],
)
async def test_a_failure(
    make: Make, caplog: pytest.LogCaptureFixture, names: FakeProvider, rows: list[tuple[str, str | None]]
) -> None:
    """The answer knows nothing of it, the first words stay, and the call is counted."""
    talk = make(names)
    run = talk.play()
    await drain(run)
    await talk.runner.titles.settled()
    assert (run.response.status, await talk.title()) == ("completed", ("Why is the sky blue?", "words"))
    assert [(row.status, row.error_type) for row in await talk.title_rows()] == rows
    assert bool(caplog.records) == (rows[0][0] == "failed")


async def test_a_slow_title(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """After its time it is given up and its upstream closed."""
    talk = make(FakeProvider(spend, "Blue", HANG))
    runner = talk.runner
    runner.titles = Titler(lambda: runner.catalog, runner.providers, runner.database, seconds=0.05)
    await talk.ask()
    assert "names/small took more than 0.05 seconds." in caplog.text
    assert (talk.names.closed, await talk.title()) == (1, ("Why is the sky blue?", "words"))
    assert [(row.status, row.input_tokens) for row in await talk.title_rows()] == [("incomplete", 30)]


async def test_an_image_alone(make: Make) -> None:
    """A question without words gives no title, and a model that only sees the question is not asked."""
    talk = make(FakeProvider("A Cat"))
    picture = CreateResponse(input=(user_message("", "https://example.org/cat.png"),))
    await answer(play(talk.runner, picture, conversation=talk.id))
    await talk.runner.titles.settled()
    assert (talk.names.requests, await talk.title()) == ([], (None, None))


# -- the ledger -----------------------------------------------------------------------------------------------------


async def test_the_ledger(make: Make, database: Database) -> None:
    """The call has a row of its own; the answer's has only what the answer took."""
    talk = make(FakeProvider("Blue Sky", spend))
    await talk.ask(cell=Cell(id="cell1", run="run1", execution_count=3))
    rows = {row.context: row for row in await database.read(usage.rows)}
    assert rows.keys() == {"message", "title"}
    row = rows["title"]
    assert (row.user, row.conversation_id, row.cell_id, row.execution_count) == ("kernel", talk.id, "cell1", 3)
    assert (row.endpoint, row.model, row.agent) == ("names", "small", None)
    assert (row.input_tokens, row.output_tokens, row.cost, row.status) == (30, 4, 0.0, "completed")
    assert (rows["title"].estimated, rows["message"].estimated) == (False, True)


# -- the real model -------------------------------------------------------------------------------------------------


@pytest.mark.local_model
@pytest.mark.parametrize("method", ["completion", "structured"])
async def test_the_local_model(database: Database, method: Any) -> None:
    """It names a conversation in one short line."""
    local = load(None, {}).endpoint("local")
    assert local.default_model == LOCAL_MODEL
    endpoint = Endpoint(
        name="local", provider="llama_cpp", models=local.models, titles=Titles(enabled=True, method=method)
    )
    conversation = await database.write(partial(conversations.create, user="kernel"))
    runner = Runner(catalog(endpoint), Providers(), database)
    request = question("How do I renew my passport?", max_output_tokens=8)
    await answer(play(runner, request, conversation=conversation.id))
    await runner.titles.settled()
    found = await database.read(partial(conversations.get, conversation_id=conversation.id, user="kernel"))
    assert found is not None
    assert (found.titled_by, "\n" in (found.title or "\n")) == ("model", False)
