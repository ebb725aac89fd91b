"""The frozen values: secrets that stay hidden, and lookups by name."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest

from agentbench.config import Agent, Catalog, Endpoint, Secret
from agentbench.errors import UnknownName


@pytest.fixture
def secret() -> Secret:
    """Hide a made-up key."""
    return Secret("sk-1")


@pytest.fixture
def catalog() -> Catalog:
    """List two endpoints and two agents."""
    endpoints = [Endpoint(name="local", provider="llama_cpp"), Endpoint(name="vLLM", provider="openai_chat")]
    return Catalog(
        endpoints={each.name: each for each in endpoints},
        agents={"writer": Agent(id="writer", name="Writer"), "critic": Agent(id="critic", name="Critic")},
    )


def test_a_secret_shows_a_mask_everywhere(secret: Secret) -> None:
    """Only `reveal` gives the text."""
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>6}", f"{secret!r}", f"{[secret]}"]
    assert shown == ["****", "****", "****", "  ****", "****", "[****]"]
    assert secret.reveal() == "sk-1"


def test_a_secret_equals_the_same_secret_only(secret: Secret) -> None:
    """A bare text is never equal to one."""
    assert secret == Secret("sk-1")
    assert secret != Secret("sk-2")
    assert secret != "sk-1"


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy, msgspec.json.encode])
def test_a_secret_does_not_leave_as_data(secret: Secret, leave: object) -> None:
    """Pickling, copying and encoding fail."""
    assert callable(leave)
    with pytest.raises(TypeError):
        leave(secret)


def test_an_endpoint_hides_key_and_header_values() -> None:
    """Its repr shows which headers there are."""
    endpoint = Endpoint(
        name="one", provider="openai_chat", api_key=Secret("sk-1"), headers={"Authorization": "Bearer sk-2"}
    )
    assert "sk-" not in repr(endpoint)
    assert "api_key=****" in repr(endpoint)
    assert "'Authorization': '****'" in repr(endpoint)


def test_the_default_model_is_the_first() -> None:
    """An endpoint that lists none has none."""
    assert Endpoint(name="a", provider="openai_chat", models=("x", "y")).default_model == "x"
    assert Endpoint(name="a", provider="openai_chat", fetch_models=True).default_model is None


def test_an_endpoint_is_found_in_any_case(catalog: Catalog) -> None:
    """Names of endpoints are easy to mistype otherwise."""
    assert catalog.endpoint("VLLM").name == "vLLM"


def test_an_unknown_endpoint_suggests_the_nearest(catalog: Catalog) -> None:
    """The caller gets a 404 that names it."""
    with pytest.raises(UnknownName) as caught:
        catalog.endpoint("vlm")
    assert caught.value.message == "There is no endpoint 'vlm'. Did you mean 'vLLM'?"


def test_an_unknown_agent_suggests_the_nearest(catalog: Catalog) -> None:
    """Ids are matched exactly."""
    with pytest.raises(UnknownName) as caught:
        catalog.agent("Writer")
    assert caught.value.suggestion == "writer"


def test_the_defaults_come_first(catalog: Catalog) -> None:
    """The first agent is the default; with no endpoint of its own it takes `local`."""
    assert (catalog.default_agent.id, catalog.default_endpoint.name) == ("writer", "local")


def test_values_are_frozen(catalog: Catalog) -> None:
    """Nobody changes an endpoint in place, and its mappings neither."""
    endpoint = catalog.endpoint("local")
    with pytest.raises(AttributeError):
        endpoint.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        endpoint.headers["X"] = "y"  # type: ignore[index]
