"""Who answers for an assistant: what its model names, or who stands in for a model that isn't here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.runner.assistants.settled import settle
from tests.runner.assistants.threads import WEATHER, talking
from tests.runner.fakes import FakeProvider, SteppedProvider, catalog, runner_of

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config import Agent, Endpoint
from agentbench.config.endpoint import ModelParameters
from agentbench.errors import UnknownName
from agentbench.runner.assistants.personas import answering

if TYPE_CHECKING:
    from agentbench.runner import Runner
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

ANN = Principal(user="ann", remote=True)
OF_POET = Principal(user="ann", remote=True, agents=("poet",))
BOT = Agent(id="bot", name="Bot", endpoint="fake")
POET = Agent(id="poet", name="Poet", endpoint="fake", model="n", instructions="Rhyme.")


@pytest.fixture
def known(database: Database) -> Runner:
    """Give a runner with two agents and an endpoint of two models."""
    endpoint = Endpoint(name="fake", provider="scripted", models=("m", "n"))
    return runner_of(FakeProvider(), database, catalog(endpoint, agents=(BOT, POET)))


def found(runner: Runner, model: str, principal: Principal = KERNEL) -> tuple[str | None, str]:
    """Return the agent and the model that answer."""
    target = answering(runner, principal, model)
    return target.agent and target.agent.id, target.name


@pytest.mark.parametrize(
    ("model", "who"),
    [
        ("poet", ("poet", "fake/n")),
        ("fake/m", (None, "fake/m")),
        ("n", (None, "fake/n")),
        ("gpt-4o", ("bot", "fake/m")),
    ],
)
async def test_models(known: Runner, model: str, who: tuple[str | None, str]) -> None:
    """A model is an agent, a model that is here, or anything else, for which the default agent answers."""
    assert found(known, model) == who


async def test_substitutes(known: Runner) -> None:
    """The config says who answers for which model, and for all others; without the latter, nobody does."""
    settle(known, substitutes={"gpt-4o": "fake/n", "*": "poet"})
    assert found(known, "gpt-4o") == (None, "fake/n")
    assert found(known, "gpt-4") == ("poet", "fake/n")
    settle(known, substitutes={"gpt-4o": "fake/n"})
    with pytest.raises(UnknownName, match="gpt-4"):
        found(known, "gpt-4")
    settle(known, substitutes={})
    with pytest.raises(UnknownName, match="gpt-4o"):
        found(known, "gpt-4o")


async def test_what_callers_may_name(known: Runner) -> None:
    """A caller over HTTP gets the models that it may name, and a substitute for others."""
    known.use(replace(known.catalog, remote=replace(known.catalog.remote, models=False)))
    assert found(known, "fake/n", ANN) == ("bot", "fake/m")
    assert found(known, "bot", OF_POET) == ("poet", "fake/n")
    settle(known, substitutes={"*": "bot"})
    with pytest.raises(UnknownName):
        found(known, "gpt-4o", OF_POET)


async def test_an_agent_that_answers(database: Database) -> None:
    """An agent answers as it is: its own instructions come first, and its sampling holds where nothing else is said."""
    poet = replace(POET, parameters=ModelParameters(temperature=0.2))
    provider = SteppedProvider(["ok"])
    known = catalog(agents=(BOT, poet))
    async with talking(database, provider=provider, known=known, model="poet", instructions="Be kind.") as thread:
        run = await thread.ended()
        assert (run.model, run.instructions) == ("fake/n", "Be kind.")
    (request,) = provider.requests
    assert (request.model, request.instructions, request.temperature) == ("n", "Rhyme.\n\nBe kind.", 0.2)


async def test_another_model(database: Database) -> None:
    """A run may name another model than its assistant's; one that nobody answers for is refused."""
    provider = SteppedProvider(["ok"])
    async with talking(database, provider=provider, model="gpt-4o") as thread:
        assert (await thread.ended(model="fake/n")).model == "fake/n"
        settle(thread.runner, substitutes={})
        with pytest.raises(UnknownName, match="gpt-5"):
            await thread.start(model="gpt-5")


async def test_in_chats(database: Database) -> None:
    """A chat gets an assistant as an agent with its instructions, its sampling and its functions."""
    values: dict[str, Any] = {"model": "poet", "instructions": "Be kind.", "top_p": 0.5, "tools": (WEATHER,)}
    async with talking(database, known=catalog(agents=(BOT, POET)), name="Friend", **values) as thread:
        persona = await thread.desk.persona(KERNEL, thread.assistant)
    agent = persona.agent
    assert (agent.id, agent.name, agent.endpoint, agent.model) == (thread.assistant, "Friend", "fake", "n")
    assert (agent.instructions, agent.parameters.top_p) == ("Rhyme.\n\nBe kind.", 0.5)
    assert [each.name for each in persona.tools] == ["weather"]
    assert (persona.documents, persona.assistant.name) == ((), "Friend")
