"""`endpoints.azureAssistants`: where the upstream is, by its own block, a group of `azureOpenAI` or the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentbench.config import Secret, load
from agentbench.config.assistants import AssistantSettings
from agentbench.config.azure import azure_assistants
from agentbench.config.config import Config
from agentbench.config.header_templates import fill_headers
from agentbench.config.tuning import Draft

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentbench.config import Catalog

GROUP: dict[str, Any] = {
    "group": "sweden",
    "apiKey": "k",
    "instanceName": "north",
    "deploymentName": "d",
    "version": "2024-08-01-preview",
    "additionalHeaders": {"X-Team": "sky"},
    "assistants": True,
    "models": {"gpt-4o": True},
}
NORTH = "https://north.openai.azure.com/openai"


def azure(group: dict[str, Any] | None = None, *, on: bool = True, **keys: Any) -> Catalog:
    """Return a catalog with one group of `azureOpenAI`, and a block of `azureAssistants` if there are keys."""
    block = {"azureAssistants": keys} if keys else {}
    written = {"azureOpenAI": {"assistants": on, "groups": [group or GROUP]}, **block}
    return load({"endpoints": written}, {})


def upstream(catalog: Catalog) -> tuple[str | None, str | None]:
    """Return where `azureAssistants` is, and Azure's API version."""
    endpoint = catalog.endpoints["azureAssistants"]
    assert endpoint.assistants is not None
    return endpoint.base_url, endpoint.assistants.api_version


def test_a_group_brings_it() -> None:
    """Its resource, key, headers and version are the group's."""
    catalog = azure()
    endpoint = catalog.endpoints["azureAssistants"]
    assert upstream(catalog) == (NORTH, "2024-08-01-preview")
    assert (endpoint.provider, endpoint.api_key, endpoint.unsupported) == ("assistants", Secret("k"), None)
    assert fill_headers(endpoint.header_templates, {}) == {"X-Team": "sky"}
    assert catalog.assistants == AssistantSettings()


def test_a_model_brings_it() -> None:
    """With its own version, if the group doesn't say so for all."""
    models = {"a": True, "b": {"assistants": True, "version": "2025-01-01-preview"}}
    assert upstream(azure({**GROUP, "assistants": False, "models": models})) == (NORTH, "2025-01-01-preview")


def test_both_must_say_so() -> None:
    """`azureOpenAI` switches it on; without a group that says so too it lacks an address."""
    assert "azureAssistants" not in azure(on=False).endpoints
    for group in ({**GROUP, "assistants": False}, {**GROUP, "serverless": True, "baseURL": "https://h/v1"}):
        assert azure(group).endpoints["azureAssistants"].unsupported == (
            "azureAssistants has no base URL. Set AZURE_ASSISTANTS_BASE_URL, or endpoints.azureAssistants.baseURL in"
            " the config. Or set assistants: true in azureOpenAI and in one of its groups."
        )


def test_its_block_goes_over_the_group() -> None:
    """Settings and shared keys are the block's; Azure's version is the group's unless the block names one."""
    catalog = azure(timeoutMs=5000, version=1, headers={"X-Team": "sea"})
    endpoint = catalog.endpoints["azureAssistants"]
    assert endpoint.assistants == AssistantSettings(time_limit=5, version="1", api_version="2024-08-01-preview")
    assert fill_headers(endpoint.header_templates, {}) == {"X-Team": "sea"}
    assert upstream(azure(version="2024-05-01-preview")) == (NORTH, "2024-05-01-preview")


def test_its_own_address_goes_alone() -> None:
    """Neither the group's key nor its headers go to another address."""
    endpoint = azure(baseURL="https://other.example/openai").endpoints["azureAssistants"]
    assert (endpoint.api_key, dict(endpoint.header_templates)) == (None, {})


def test_the_environment_brings_it() -> None:
    """By LibreChat's variables; a group in the file is used instead of them."""
    environ = {"AZURE_ASSISTANTS_API_KEY": "e", "AZURE_ASSISTANTS_BASE_URL": "https://east.openai.azure.com"}
    catalog = load(None, environ)
    assert catalog.endpoints["azureAssistants"].api_key == Secret("e")
    assert upstream(catalog) == ("https://east.openai.azure.com/openai", "2024-05-01-preview")
    block = {"azureOpenAI": {"assistants": True, "groups": [GROUP]}}
    assert upstream(load({"endpoints": block}, environ))[0] == NORTH


PLACES: list[tuple[str, str | None, tuple[str, str | None]]] = [
    ("https://a.openai.azure.com/", None, ("https://a.openai.azure.com/openai", "2024-05-01-preview")),
    ("https://a.openai.azure.com/openai?api-version=1", None, ("https://a.openai.azure.com/openai", "1")),
    ("https://a.openai.azure.com/openai?api-version=1", "2", ("https://a.openai.azure.com/openai", "2")),
    ("https://a.openai.azure.com/openai", "v1", ("https://a.openai.azure.com/openai/v1", None)),
    ("https://a.openai.azure.com/openai/v1/", None, ("https://a.openai.azure.com/openai/v1", None)),
    ("https://a.openai.azure.com", "preview", ("https://a.openai.azure.com/openai/v1", "preview")),
    ("https://h/openai/deployments/d", "1", ("https://h/openai", "1")),
    ("https://gateway.example/azure", "1", ("https://gateway.example/azure", "1")),
]


@pytest.mark.parametrize(("base_url", "version", "expected"), PLACES)
def test_addresses(base_url: str, version: str | None, expected: tuple[str, str | None]) -> None:
    """A dated version goes with the resource's address, the v1 API needs none."""
    assert azure_assistants(base_url, version) == expected


@pytest.mark.parametrize("version", ["3", "a b", "true"])
def test_a_wrong_version_of_azure(refused: Callable[..., str], version: str) -> None:
    """What is neither a version of the Assistants API nor one of Azure's is refused."""
    told = refused(f"endpoints:\n  azureAssistants:\n    version: {version}\n")
    assert told.startswith("agentbench.yaml:3:5: endpoints.azureAssistants.version: expected")


def test_where_a_groups_values_are_from(folder: Path) -> None:
    """They are explained and shown in the form with the group's line, the key masked."""
    (folder / "a.yaml").write_text(
        "endpoints:\n  azureOpenAI:\n    assistants: true\n    groups:\n    - group: a\n      apiKey: tiger\n"
        "      instanceName: north\n      deploymentName: d\n      assistants: true\n      models: {m: true}\n"
    )
    config = Config("a.yaml", {})
    assert config.explain("azureAssistants", "baseURL").origin == "a.yaml:5"
    rows = {each.field.key: each for each in Draft(config).rows("azureAssistants")}
    assert (rows["baseURL"].now.text, rows["apiKey"].now.text) == ("https://north.openai.azure.com", "****")
    assert config.catalog.endpoints["azureAssistants"].origin == "a.yaml:5"
