"""`endpoints.azureOpenAI`, and Azure in the environment: where each model is, and what is wrong with a block."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from agentbench.config import Secret
from agentbench.config.azure import azure_from_environ
from agentbench.config.azure_schema import AzureSection, azure_problems, deployments
from agentbench.config.header_templates import fill_headers
from agentbench.config.placeholders import fill
from agentbench.config.problem import Problem, spell
from agentbench.config.validate import problems_in
from agentbench.errors import ConfigError

KEYS = {f"{name}_KEY": f"key-of-{name.lower()}" for name in ("WEST", "EAST", "SWEDEN", "MISTRAL")}
PLACE = {"URL": "https://gateway.example/${INSTANCE_NAME}/${DEPLOYMENT_NAME}"}
OPENAI = "https://{}.openai.azure.com/openai/deployments/{}"


def read(text: str) -> tuple[AzureSection | None, list[Problem]]:
    """Read the block's keys as a file's; the problems' paths start at the file's top."""
    written = {"endpoints": {"azureOpenAI": YAML(typ="safe").load(text)}}
    data, problems = fill(written, KEYS | PLACE)
    try:
        section = AzureSection.model_validate(data["endpoints"]["azureOpenAI"])  # type: ignore[index,call-overload]
    except ValidationError as error:
        found = problems_in(error, AzureSection)
        return None, problems + [Problem(("endpoints", "azureOpenAI", *each.path), each.text) for each in found]
    return section, [*problems, *azure_problems(section)]


def group(keys: str, models: str = "{gpt-4o: true}") -> str:
    """Write one group with a key."""
    return f"groups: [{{group: a, apiKey: k, {keys}, models: {models}}}]"


def places(text: str) -> dict[str, tuple[str, str, str | None]]:
    """Return each model's deployment, address and API version."""
    section, problems = read(text)
    assert problems == []
    assert section is not None
    return {model: (each.name, each.base_url, each.api_version) for model, each in deployments(section, {}).items()}


PLACES: dict[str, tuple[str, dict[str, tuple[str, str, str | None]]]] = {
    "regions, and several versions": (
        """
        plugins: true
        assistants: true
        groups:
        - group: west
          apiKey: ${WEST_KEY}
          instanceName: west
          version: 2024-03-01-preview
          models:
            gpt-4-vision: {deploymentName: vision, version: 2024-02-15-preview}
            gpt-3.5-turbo:
              deploymentName: gpt-35-turbo
        - group: mistral
          apiKey: ${MISTRAL_KEY}
          baseURL: https://Mistral-large.region.inference.ai.azure.com/v1/chat/completions
          serverless: true
          models:
            mistral-large: true
        - group: sweden
          apiKey: ${SWEDEN_KEY}
          instanceName: sweden
          deploymentName: gpt-4-1106
          version: 2024-10-21
          assistants: true
          models:
            gpt-4-turbo: true
        """,
        {
            "gpt-4-vision": ("vision", OPENAI.format("west", "vision"), "2024-02-15-preview"),
            "gpt-3.5-turbo": ("gpt-35-turbo", OPENAI.format("west", "gpt-35-turbo"), "2024-03-01-preview"),
            "mistral-large": ("mistral-large", "https://Mistral-large.region.inference.ai.azure.com/v1", None),
            "gpt-4-turbo": ("gpt-4-1106", OPENAI.format("sweden", "gpt-4-1106"), "2024-10-21"),
        },
    ),
    "a gateway": (
        group('instanceName: east, deploymentName: d, version: "1", baseURL: "${URL}"'),
        {"gpt-4o": ("d", "https://gateway.example/east/d", "1")},
    ),
    "the placeholders as they are": (
        group(
            'instanceName: east.cognitiveservices.azure.com, version: "1", '
            'baseURL: "https://${INSTANCE_NAME}.openai.azure.com/openai/deployments/${DEPLOYMENT_NAME}/"',
            "{a: {deploymentName: d}, b: {deploymentName: e/f}}",
        ),
        {"a": ("d", OPENAI.format("east", "d"), "1"), "b": ("e/f", OPENAI.format("east", "e%2Ff"), "1")},
    ),
    "a whole domain": (
        group("instanceName: east.cognitiveservices.azure.com, deploymentName: d, version: 2024-10-21"),
        {"gpt-4o": ("d", "https://east.cognitiveservices.azure.com/openai/deployments/d", "2024-10-21")},
    ),
    "the resource's address": (
        group("baseURL: https://east.openai.azure.com/, deploymentName: d, version: 2024-10-21"),
        {"gpt-4o": ("d", OPENAI.format("east", "d"), "2024-10-21")},
    ),
    "serverless with a version": (
        group("baseURL: https://a.services.ai.azure.com/models/, version: 2024-05-01-preview, serverless: true"),
        {"gpt-4o": ("gpt-4o", "https://a.services.ai.azure.com/models", "2024-05-01-preview")},
    ),
    "the version in the address": (
        group('baseURL: "https://a.services.ai.azure.com/models?api-version=2024-05-01-preview", serverless: true'),
        {"gpt-4o": ("gpt-4o", "https://a.services.ai.azure.com/models", "2024-05-01-preview")},
    ),
    "serverless with no path": (
        group("baseURL: https://phi.models.ai.azure.com, serverless: true"),
        {"gpt-4o": ("gpt-4o", "https://phi.models.ai.azure.com", None)},
    ),
    "no version": (
        group("instanceName: east, deploymentName: d"),
        {"gpt-4o": ("d", "https://east.openai.azure.com/openai/v1", None)},
    ),
    "v1, and a preview of it": (
        group("instanceName: east, deploymentName: d, version: v1", "{a: true, b: {version: preview}}"),
        {
            "a": ("d", "https://east.openai.azure.com/openai/v1", None),
            "b": ("d", "https://east.openai.azure.com/openai/v1", "preview"),
        },
    ),
    "the address of v1": (
        group("baseURL: https://east.openai.azure.com/openai/v1/, deploymentName: d, version: 2024-10-21"),
        {"gpt-4o": ("d", "https://east.openai.azure.com/openai/v1", None)},
    ),
    "Responses": (
        group("instanceName: east, deploymentName: d, version: 2025-04-01-preview, addParams: {useResponsesApi: true}"),
        {"gpt-4o": ("d", "https://east.openai.azure.com/openai", "2025-04-01-preview")},
    ),
    "Responses of v1": (
        group("instanceName: east, deploymentName: d, addParams: {useResponsesApi: true}"),
        {"gpt-4o": ("d", "https://east.openai.azure.com/openai/v1", None)},
    ),
}


@pytest.mark.parametrize(("text", "expected"), PLACES.values(), ids=PLACES)
def test_where_each_model_is(text: str, expected: dict[str, tuple[str, str, str | None]]) -> None:
    """A model's deployment and version are its own or its group's; the address is built from the group's."""
    assert places(text) == expected


def test_what_a_deployment_carries() -> None:
    """Key, headers and parameters are the group's; `useResponsesApi` is no parameter."""
    text = group(
        "instanceName: east, deploymentName: d, additionalHeaders: {X-Team: sky}, dropParams: [user], "
        "addParams: {useResponsesApi: true, seed: 1}"
    )
    section, _ = read(text)
    assert section is not None
    found = deployments(section, {})["gpt-4o"]
    assert (found.api_key, fill_headers(found.header_templates, {}), found.drop_params) == (
        Secret("k"),
        {"X-Team": "sky"},
        ("user",),
    )
    assert (found.use_responses_api, found.add_params) == (True, {"seed": 1})


def test_keys_of_others() -> None:
    """Keys that only older versions of LibreChat read are passed over."""
    text = "plugins: true\nsummarize: true\nsummaryModel: m\ncustomOrder: 1\n"
    text += group("forcePrompt: true, instanceName: east, deploymentName: d")
    assert list(places(text)) == ["gpt-4o"]


def test_a_token_instead_of_a_key() -> None:
    """A group whose headers bring an Authorization needs no key."""
    keys = "group: a, instanceName: b, deploymentName: d, additionalHeaders: {authorization: Bearer t}"
    text = f"groups: [{{{keys}, models: {{m: true}}}}]"
    section, problems = read(text)
    assert problems == []
    assert section is not None
    assert deployments(section, {})["m"].api_key is None


TWO = "groups: [{{group: a, apiKey: k, instanceName: i, deploymentName: d, models: {{m: true}}}}, {}]"
PROBLEMS: dict[str, tuple[str, dict[str, str]]] = {
    "no name": (
        "groups: [{apiKey: k, instanceName: i, deploymentName: d, models: {m: true}}]",
        {"groups[0].group": "required, but missing"},
    ),
    "no key": (
        "groups: [{group: a, instanceName: i, deploymentName: d, models: {m: true}}]",
        {"groups[0].apiKey": "required, but missing"},
    ),
    "no models": (
        group("instanceName: i", "{}"),
        {"groups[0].models": "expected at least one entry"},
    ),
    "no address": (
        group("deploymentName: d"),
        {"groups[0].instanceName": "required where there is no 'baseURL', but missing"},
    ),
    "no instance for the address": (
        group('deploymentName: d, baseURL: "https://${INSTANCE_NAME}.example/v1"'),
        {"groups[0].instanceName": "required where 'baseURL' holds ${INSTANCE_NAME}, but missing"},
    ),
    "no address of a serverless model": (
        group("serverless: true"),
        {"groups[0].baseURL": "required where 'serverless' is true, but missing"},
    ),
    "no deployment": (
        group("instanceName: i", "{a: true, b: {version: v1}, c: {deploymentName: d}}"),
        dict.fromkeys(
            ("groups[0].models.a", "groups[0].models.b"),
            "its deployment is missing: give 'deploymentName' here or for the group",
        ),
    ),
    "no version": (
        group("deploymentName: d, baseURL: 'https://h/${DEPLOYMENT_NAME}'", "{a: true, b: {version: v1}}"),
        {
            "groups[0].models.a": (
                "its API version is missing: give 'version' here or for the group, as 'baseURL' names a deployment"
            )
        },
    ),
    "a group twice": (
        TWO.format("{group: a, apiKey: k, instanceName: i, models: {n: {deploymentName: d}}}"),
        {"groups[1].group": "the same group as endpoints.azureOpenAI.groups[0]"},
    ),
    "a model twice": (
        TWO.format("{group: b, apiKey: k, serverless: true, baseURL: 'https://h/v1', models: {m: true}}"),
        {"groups[1].models.m": "the same model as in endpoints.azureOpenAI.groups[0]"},
    ),
    "a model that is false": (
        group("instanceName: i, deploymentName: d", "{a: false, b: , c: text}"),
        dict.fromkeys(
            ("groups[0].models.a", "groups[0].models.b", "groups[0].models.c"),
            "expected true, or a mapping with deploymentName or version",
        ),
    ),
    "a typo in a model": (
        group("instanceName: i", "{a: {deployment: d}}"),
        {"groups[0].models.a.deployment": "unknown key. Did you mean 'deploymentName'?"},
    ),
    "a typo in a group": (
        group("instance: i"),
        {"groups[0].instance": "unknown key. Did you mean 'instanceName'?"},
    ),
    "an address for an instance": (
        group("instanceName: 'https://i.openai.azure.com', deploymentName: d"),
        {"groups[0].instanceName": "expected a resource's name such as my-resource, or its domain, with no 'https://'"},
    ),
    "a version that is none": (
        group("instanceName: i, deploymentName: d, version: a b"),
        {"groups[0].version": "expected an API version such as 2024-10-21, or v1"},
    ),
    "a query": (
        group("baseURL: 'https://h/v1?key=k', deploymentName: d"),
        {"groups[0].baseURL": "expected a URL such as https://host/v1, with nothing but 'api-version=…' after '?'"},
    ),
    "no URL": (
        group("baseURL: h, deploymentName: d"),
        {"groups[0].baseURL": "expected a URL such as https://host/v1"},
    ),
    "another placeholder": (
        group("baseURL: 'https://${REGION}.example/v1', deploymentName: d"),
        {"groups[0].baseURL": "the environment variable 'REGION' is not set"},
    ),
    "the placeholders elsewhere": (
        group("instanceName: i, deploymentName: '${INSTANCE_NAME}'"),
        {"groups[0].deploymentName": "the environment variable 'INSTANCE_NAME' is not set"},
    ),
    "a switch that is no switch": (
        group("instanceName: i, deploymentName: d, addParams: {useResponsesApi: 1}"),
        {"groups[0].addParams.useResponsesApi": "expected true or false"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong(text: str, expected: dict[str, str]) -> None:
    """Each problem is told once, at the key to correct."""
    _, problems = read(text)
    told = {spell(each.path).removeprefix("endpoints.azureOpenAI."): each.text for each in problems}
    assert (told, len(problems)) == (expected, len(expected))


# -- the environment --------------------------------------------------------------------------------------------------

LIBRECHAT = {
    "AZURE_API_KEY": " k\n",
    "AZURE_OPENAI_API_INSTANCE_NAME": "east",
    "AZURE_OPENAI_API_DEPLOYMENT_NAME": "d",
    "AZURE_OPENAI_API_VERSION": "2024-10-21",
    "AZURE_OPENAI_MODELS": "gpt-4o, gpt-4.1",
}
SDK = {
    "AZURE_OPENAI_API_KEY": "k",
    "AZURE_OPENAI_ENDPOINT": "https://east.openai.azure.com/",
    "OPENAI_API_VERSION": "2024-10-21",
    "AZURE_OPENAI_MODELS": "gpt-4o",
}
EAST, EAST_V1 = OPENAI.format("east", "d"), "https://east.openai.azure.com/openai/v1"

ENVIRONMENTS: dict[str, tuple[dict[str, str], dict[str, tuple[str, str, str | None]]]] = {
    "nothing": ({}, {}),
    "no key": (LIBRECHAT | {"AZURE_API_KEY": " "}, {}),
    "no address": (LIBRECHAT | {"AZURE_OPENAI_API_INSTANCE_NAME": ""}, {}),
    "no models": ({"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "not looked at"}, {}),
    "LibreChat's": (LIBRECHAT, {"gpt-4o": ("d", EAST, "2024-10-21"), "gpt-4.1": ("d", EAST, "2024-10-21")}),
    "a deployment alone": (LIBRECHAT | {"AZURE_OPENAI_MODELS": ""}, {"d": ("d", EAST, "2024-10-21")}),
    "no version": (
        LIBRECHAT | {"AZURE_OPENAI_API_VERSION": "", "AZURE_OPENAI_MODELS": "m,"},
        {"m": ("d", EAST_V1, None)},
    ),
    "a base URL": (
        LIBRECHAT | {"AZURE_OPENAI_BASEURL": PLACE["URL"], "AZURE_OPENAI_MODELS": "m"},
        {"m": ("d", "https://gateway.example/east/d", "2024-10-21")},
    ),
    "the SDK's": (SDK, {"gpt-4o": ("gpt-4o", OPENAI.format("east", "gpt-4o"), "2024-10-21")}),
    "the SDK's, with a path": (
        SDK | {"AZURE_OPENAI_ENDPOINT": "https://gateway.example/azure"},
        {"gpt-4o": ("gpt-4o", "https://gateway.example/azure/openai/deployments/gpt-4o", "2024-10-21")},
    ),
    "the SDK's, of v1": (
        SDK | {"AZURE_OPENAI_ENDPOINT": f"{EAST_V1}/"},
        {"gpt-4o": ("gpt-4o", EAST_V1, None)},
    ),
}


@pytest.mark.parametrize(("environ", "expected"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_environment(environ: dict[str, str], expected: dict[str, tuple[str, str, str | None]]) -> None:
    """A key, an address and a name make deployments, all with the key."""
    found = azure_from_environ(environ)
    assert {model: (each.name, each.base_url, each.api_version) for model, each in found.items()} == expected
    assert {each.api_key for each in found.values()} <= {Secret("k")}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"AZURE_OPENAI_BASEURL": "gateway"},
            "Environment variable AZURE_OPENAI_BASEURL: expected a URL such as https://host/v1.",
        ),
        (
            {"AZURE_OPENAI_API_INSTANCE_NAME": "", "AZURE_OPENAI_BASEURL": PLACE["URL"]},
            "Environment variable AZURE_OPENAI_BASEURL holds ${INSTANCE_NAME}: set AZURE_OPENAI_API_INSTANCE_NAME too.",
        ),
        (
            {"AZURE_OPENAI_API_VERSION": "a b"},
            "Environment variable AZURE_OPENAI_API_VERSION: expected an API version such as 2024-10-21, or v1.",
        ),
    ],
)
def test_wrong_environment(wrong: dict[str, str], message: str) -> None:
    """A value that can't be right is named by its variable."""
    with pytest.raises(ConfigError) as caught:
        azure_from_environ(LIBRECHAT | wrong)
    assert (caught.value.message, caught.value.__context__) == (message, None)
