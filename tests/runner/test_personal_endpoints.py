"""Endpoints whose key or address is a person's own answer nobody else."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.runner.fakes import FakeProvider, answer, catalog, play, question, runner_of

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config import Agent, Endpoint, RemoteAccess, Secret, Titles
from agentbench.errors import InvalidRequest
from agentbench.runner.turn import Turn
from agentbench.storage import conversations

if TYPE_CHECKING:
    from agentbench.runner import Runner
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

MINE = Endpoint(name="mine", provider="openai_chat", models=("m",), api_key=Secret("k"), personal=True)
UNSET = replace(MINE, name="unset", api_key=None, unsupported="unset wants a key of your own: bench.config.set(…).")
OPEN = Endpoint(name="open", provider="openai_chat", models=("o",))
AGENTS = (Agent(id="me", name="Me", endpoint="mine"), Agent(id="you", name="You", endpoint="open"))
ANYBODY = Principal(user="u", remote=True)


@pytest.fixture
def provider() -> FakeProvider:
    """Give the provider."""
    return FakeProvider()


@pytest.fixture
def runner(database: Database, provider: FakeProvider) -> Runner:
    """Give a runner of personal endpoints and one that isn't."""
    known = replace(catalog(MINE, UNSET, OPEN, agents=AGENTS), remote=RemoteAccess(models=True))
    return runner_of(provider, database, known)


@pytest.mark.parametrize(
    ("principal", "names"),
    [
        (KERNEL, ["me", "you", "mine/m", "unset/m", "open/o"]),
        (ANYBODY, ["you", "open/o"]),
        (replace(ANYBODY, agents=("me", "you")), ["you"]),
        (replace(ANYBODY, user=KERNEL.user, role="ADMIN"), ["you", "open/o"]),
    ],
)
async def test_names(runner: Runner, principal: Principal, names: list[str]) -> None:
    """Only at the kernel they may be named; a key of the kernel's is not the kernel."""
    assert runner.names_for(principal) == names


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"model": "mine/m"}, "mine"),
        ({"model": "m"}, "mine"),
        ({"model": "mine"}, "mine"),
        ({"model": "unset"}, "unset"),
        ({"model": "me"}, "mine"),
        ({"agent": "me"}, "mine"),
        ({"agent": "you", "model": "mine/m"}, "mine"),
    ],
)
async def test_over_http(runner: Runner, provider: FakeProvider, given: dict[str, str], name: str) -> None:
    """Whoever comes over HTTP is told so, before anything is sent."""
    turn = Turn(request=question(model=given.get("model")), agent=given.get("agent"), principal=ANYBODY)
    with pytest.raises(InvalidRequest) as caught:
        runner.start(turn)
    assert caught.value.message == f"{name} answers only at the kernel, with the key of whoever sits there."
    assert provider.requests == []


@pytest.mark.parametrize("agent", ["me", None])
async def test_a_limited_key(runner: Runner, agent: str | None) -> None:
    """A key for some agents is told the same, and gets the first that answers it where it names none."""
    limited = replace(ANYBODY, agents=("me", "you"))
    if agent is None:
        assert runner.start(Turn(request=question(), principal=limited)).target.name == "open/o"
        return
    with pytest.raises(InvalidRequest, match="mine answers only at the kernel"):
        runner.start(Turn(request=question(model=agent), principal=limited))


async def test_at_the_kernel(runner: Runner) -> None:
    """Whoever sits there has the key."""
    assert (await answer(play(runner, agent="me"))).output_text == "one two three"


async def test_a_personal_title_endpoint(
    database: Database, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """No caller over HTTP has a title made with the key of the person at the kernel."""
    talks = replace(OPEN, titles=Titles(enabled=True, timing="final", endpoint="mine"))
    runner = runner_of(provider, database, replace(catalog(talks, MINE), remote=RemoteAccess(models=True)))
    conversation = await database.write(partial(conversations.create, user=ANYBODY.user))
    with caplog.at_level(logging.WARNING):
        await answer(play(runner, principal=ANYBODY, conversation=conversation.id))
        await runner.titles.settled()
    assert (len(provider.requests), "mine answers only at the kernel" in caplog.text) == (1, True)
