"""What a caller may name, and what isn't there for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.runner.fakes import FakeProvider, catalog, question, runner_of

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config import Agent, Endpoint, RemoteAccess
from agentbench.errors import UnknownName
from agentbench.runner import Runner, Turn
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KNOWN = catalog(
    Endpoint(name="fake", provider="scripted", models=("m", "guide")),
    agents=(Agent(id="guide", name="Guide"), Agent(id="cook", name="Cook", endpoint="fake")),
)
ANYBODY = Principal(user="u", role="ADMIN", remote=True)
LIMITED = replace(ANYBODY, agents=("cook", "gone"))


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Give a function that makes a runner, with or without models to name."""
    database = Database(f"sqlite:///{tmp_path / 'names.db'}")

    def make(*, models: bool) -> Runner:
        known = replace(KNOWN, remote=RemoteAccess(models=models))
        first = replace(known.agents["guide"], endpoint="fake")
        return runner_of(FakeProvider(), database, replace(known, agents={**known.agents, "guide": first}))

    yield make
    database.close()


@pytest.mark.parametrize(
    ("principal", "models", "names"),
    [
        (KERNEL, False, ["guide", "cook", "fake/m", "fake/guide"]),
        (ANYBODY, False, ["guide", "cook"]),
        (ANYBODY, True, ["guide", "cook", "fake/m", "fake/guide"]),
        (LIMITED, False, ["cook"]),
        (LIMITED, True, ["cook"]),
    ],
)
def test_names(runner: Callable[..., Runner], principal: Principal, models: bool, names: list[str]) -> None:  # noqa: FBT001 - a parameter of the test
    """The kernel names anything; others their agents, and models where the operator and the key let them."""
    made = runner(models=models)
    assert made.names_for(principal) == names
    for name in names:
        made.start(Turn(request=question(model=name), principal=principal))


@pytest.mark.parametrize("name", ["guide", "fake/m", "m", "fake", "local", "nobody", "gone", "COOK"])
@pytest.mark.parametrize("models", [False, True])
def test_what_is_not_there(runner: Callable[..., Runner], name: str, models: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What a key may not use and what doesn't exist are refused in the same words."""
    with pytest.raises(UnknownName) as caught:
        runner(models=models).start(Turn(request=question(model=name), principal=LIMITED))
    assert (caught.value.param, caught.value.kind) == ("model", "model")
    assert "guide" not in caught.value.message.replace(repr(name), "")


def test_an_agent_with_another_model(runner: Callable[..., Runner]) -> None:
    """An agent that may be named doesn't bring a model along that may not."""
    run = runner(models=False).start(Turn(request=question(model="fake/guide"), principal=ANYBODY, agent="cook"))
    assert run.target.name == "fake/m"


def test_nobody_named(runner: Callable[..., Runner]) -> None:
    """Without a name the first agent that may be named answers."""
    run = runner(models=True).start(Turn(request=question(), principal=LIMITED))
    assert run.target.agent is not None
    assert run.target.agent.id == "cook"
