"""Who answers: from an agent's id and a model's name to an endpoint and a model."""

from __future__ import annotations

import pytest

from agentbench.config import Agent, Catalog, Endpoint
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.runner.target import find_target, model_names

ENDPOINTS = (
    Endpoint(name="local", provider="llama_cpp", models=("tiny", "small")),
    Endpoint(name="acme", provider="openai_chat", models=("small", "org/big")),
    Endpoint(name="open", provider="openai_chat", fetch_models=True),
    Endpoint(name="later", provider="google", unsupported="Google's API is not supported yet."),
)
AGENTS = (
    Agent(id="first", name="First"),
    Agent(id="tutor", name="Tutor", endpoint="acme"),
    Agent(id="sage", name="Sage", endpoint="acme", model="org/big"),
    Agent(id="guest", name="Guest", endpoint="open"),
    Agent(id="tiny", name="An agent called as a model is"),
)
CATALOG = Catalog(
    endpoints={each.name: each for each in ENDPOINTS},
    agents={each.id: each for each in AGENTS},
)


@pytest.mark.parametrize(
    ("agent", "model", "expected"),
    [
        (None, None, ("first", "local/tiny")),
        ("tutor", None, ("tutor", "acme/small")),
        ("sage", None, ("sage", "acme/org/big")),
        (None, "sage", ("sage", "acme/org/big")),
        (None, "acme/small", (None, "acme/small")),
        (None, "acme/org/big", (None, "acme/org/big")),
        (None, "ACME/small", (None, "acme/small")),
        (None, "acme", (None, "acme/small")),
        (None, "acme/", (None, "acme/small")),
        (None, "small", (None, "local/small")),
        (None, "org/big", (None, "acme/org/big")),
        (None, "tiny", ("tiny", "local/tiny")),
        (None, "open/anything/at:all", (None, "open/anything/at:all")),
        ("tutor", "small", ("tutor", "acme/small")),
        ("tutor", "tiny", ("tutor", "local/tiny")),
        ("sage", "local/small", ("sage", "local/small")),
        ("sage", "local", ("sage", "local/tiny")),
    ],
)
def test_who_answers(agent: str | None, model: str | None, expected: tuple[str | None, str]) -> None:
    """A model may be an agent's id, `endpoint/model`, an endpoint alone, or a name that the agent's endpoint has."""
    target = find_target(CATALOG, agent=agent, model=model)
    assert (target.agent and target.agent.id, target.name) == expected


@pytest.mark.parametrize(
    ("agent", "model", "message"),
    [
        ("tutr", None, "There is no agent 'tutr'. Did you mean 'tutor'?"),
        (None, "smal", "There is no model 'smal'. Did you mean 'small'?"),
        (None, "acm", "There is no model 'acm'. Did you mean 'acme'?"),
        (None, "sagee", "There is no model 'sagee'. Did you mean 'sage'?"),
        (None, "acme/smal", "There is no model 'acme/smal'. Did you mean 'acme/small'?"),
        (None, "acme/tiny", "There is no model 'acme/tiny'. Did you mean 'local/tiny'?"),
        (None, "", "There is no model ''. Known: local/tiny, local/small, acme/small, acme/org/big, first, tutor, "),
    ],
)
def test_an_unknown_name(agent: str | None, model: str | None, message: str) -> None:
    """The nearest known name is suggested."""
    with pytest.raises(UnknownName) as caught:
        find_target(CATALOG, agent=agent, model=model)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(("agent", "model"), [(None, "open"), ("guest", None)])
def test_no_default_model(agent: str | None, model: str | None) -> None:
    """An endpoint that lists no model needs to be told one."""
    with pytest.raises(InvalidRequest) as caught:
        find_target(CATALOG, agent=agent, model=model)
    assert caught.value.message == "open has no default model. Name one: open/MODEL."


def test_an_unsupported_endpoint() -> None:
    """The endpoint's own sentence says why it can't answer."""
    with pytest.raises(InvalidRequest, match="Google's API is not supported yet"):
        find_target(CATALOG, agent=None, model="later")


def test_model_names() -> None:
    """Every listed model is offered under its endpoint's name."""
    assert model_names(CATALOG) == ["local/tiny", "local/small", "acme/small", "acme/org/big"]
