"""The keys of `endpoints.azureOpenAI`, named as in librechat.yaml, and the deployments that they tell of."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from agentbench.config.azure import (
    DEPLOYMENT_NAME,
    INSTANCE_NAME,
    AzurePlace,
    azure_instance,
    azure_url,
    azure_version,
    version_in,
)
from agentbench.config.endpoint_schema import Key
from agentbench.config.header_templates import parse
from agentbench.config.layers import HEADERS, Layer
from agentbench.config.problem import InvalidValueError, Problem, spell
from agentbench.config.rates_schema import TokenConfig
from agentbench.config.secret import Secret
from agentbench.config.section import Section
from agentbench.config.shared_schema import SharedSection, header_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agentbench.config.endpoint import Deployment
    from agentbench.config.problem import KeyPath

__all__ = ["AzureGroupSection", "AzureModelSection", "AzureSection", "azure_problems", "deployments", "group_layers"]

_GROUPS: KeyPath = ("endpoints", "azureOpenAI", "groups")
_RESPONSES = "useResponsesApi"
_GONE = "older versions of LibreChat read it"


def _dated(value: object) -> object:
    """Return the text of a version that YAML takes for a date."""
    return value.isoformat() if isinstance(value, date) else value


def _add_params(params: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(params.get(_RESPONSES, False), bool):
        raise InvalidValueError(Problem((_RESPONSES,), "expected true or false"))
    return params


_Name = Annotated[str, Field(min_length=1)]
_Version = Annotated[str, BeforeValidator(_dated), AfterValidator(azure_version)]


class AzureModelSection(Section):
    """A model's deployment; `true` in its place means the group's."""

    deployment_name: _Name | None = Field(
        default=None,
        alias="deploymentName",
        examples=["gpt-4o-eu"],
        description="which deployment serves the model; none: the group's",
    )
    version: _Version | None = Field(
        default=None, examples=["2024-10-21"], description="the model's API version; none: the group's"
    )
    assistants: bool = Field(default=False, examples=[True], description="as for the group, with the model's version")

    @model_validator(mode="before")
    @classmethod
    def _true(cls, data: object) -> object:
        if data is not True and not isinstance(data, dict | AzureModelSection):
            raise ValueError("expected true, or a mapping with deploymentName or version")
        return {} if data is True else data


class AzureGroupSection(Section):
    """Models of one resource, or one serverless endpoint."""

    ignored: ClassVar = {"forcePrompt": _GONE}

    group: _Name = Field(examples=["sweden"], description="any name that no other group has")
    api_key: Key | None = Field(
        default=None,
        alias="apiKey",
        examples=["${SWEDEN_KEY}"],
        description="sent as `api-key`; needed unless `additionalHeaders` brings an `Authorization`",
    )
    instance_name: Annotated[str, AfterValidator(azure_instance)] | None = Field(
        default=None,
        alias="instanceName",
        examples=["my-resource"],
        description="the resource in `https://NAME.openai.azure.com`, or its whole domain; needed without `baseURL`",
    )
    deployment_name: _Name | None = Field(
        default=None,
        alias="deploymentName",
        examples=["gpt-4o-eu"],
        description="the deployment of each model that names none; for a serverless one: the model's own name",
    )
    version: _Version | None = Field(
        default=None,
        examples=["2024-10-21"],
        description="the API version of each model that names none; none and `v1`: Azure's v1 API",
    )
    base_url: Annotated[str, AfterValidator(azure_url)] | None = Field(
        default=None,
        alias="baseURL",
        examples=["https://gateway.example/${INSTANCE_NAME}/${DEPLOYMENT_NAME}"],
        description=(
            "the address before `/chat/completions`; `${INSTANCE_NAME}` and `${DEPLOYMENT_NAME}` are the model's; with "
            "no path, or just `/openai`, the resource's"
        ),
    )
    additional_headers: Annotated[dict[str, str], AfterValidator(header_values)] = Field(
        default_factory=dict,
        alias="additionalHeaders",
        examples=["{X-Team: sky}"],
        description="headers for the group's requests; may hold [placeholders](#headers); they win over `headers`",
    )
    add_params: Annotated[dict[str, Any], AfterValidator(_add_params)] = Field(
        default_factory=dict,
        alias="addParams",
        examples=["{useResponsesApi: true}"],
        description="goes into the body of every request; `useResponsesApi: true` means Responses instead",
    )
    drop_params: list[_Name] = Field(
        default_factory=list,
        alias="dropParams",
        examples=["[user]"],
        description="keys that are taken out of the body of every request",
    )
    serverless: bool = Field(
        default=False,
        examples=[True],
        description="whether `baseURL` is a serverless model's own address, used as it is",
    )
    assistants: bool = Field(
        default=False,
        examples=[True],
        description="whether `azureAssistants` is at the resource of this group, with its key, version and headers",
    )
    models: dict[str, AzureModelSection] = Field(
        min_length=1, examples=["{gpt-4o: true}"], description="the models by name: `true`, or a mapping"
    )


class AzureSection(SharedSection):
    """Models that Azure runs, by group."""

    ignored: ClassVar = {
        "plugins": _GONE,
        "summarize": _GONE,
        "summaryModel": _GONE,
        "customOrder": "it orders LibreChat's menu",
    }

    assistants: bool = Field(
        default=False,
        examples=[True],
        description="whether there is `azureAssistants`, at the first group that says so too",
    )
    token_config: TokenConfig = Field(default_factory=dict, alias="tokenConfig")
    groups: list[AzureGroupSection] = Field(
        default_factory=list, description="resources and their models; none: what the environment offers"
    )


def azure_problems(section: AzureSection) -> Iterator[Problem]:
    """Yield what is wrong among the keys of the groups; the paths start at the file's top."""
    groups: dict[str, KeyPath] = {}
    models: dict[str, KeyPath] = {}
    for index, group in enumerate(section.groups):
        path = (*_GROUPS, index)
        if (first := groups.setdefault(group.group, path)) != path:
            yield Problem((*path, "group"), f"the same group as {spell(first)}")
        yield from _group_problems(group, path)
        for model, written in group.models.items():
            place = (*path, "models", model)
            if (first := models.setdefault(model, path)) != path:
                yield Problem(place, f"the same model as in {spell(first)}")
            if not group.serverless and (text := _unsaid(group, written)):
                yield Problem(place, text)


def _group_problems(group: AzureGroupSection, path: KeyPath) -> Iterator[Problem]:
    authorized = any(name.lower() == "authorization" for name in group.additional_headers)
    if group.api_key is None and not authorized:
        yield Problem((*path, "apiKey"), "required, but missing")
    if group.base_url is None and group.serverless:
        yield Problem((*path, "baseURL"), "required where 'serverless' is true, but missing")
    if group.instance_name is None and not (group.base_url or group.serverless):
        yield Problem((*path, "instanceName"), "required where there is no 'baseURL', but missing")
    if group.instance_name is None and INSTANCE_NAME in (group.base_url or ""):
        yield Problem((*path, "instanceName"), f"required where 'baseURL' holds {INSTANCE_NAME}, but missing")


def _unsaid(group: AzureGroupSection, model: AzureModelSection) -> str | None:
    """Return what neither a model of a resource nor its group says, but must."""
    if not (model.deployment_name or group.deployment_name):
        return "its deployment is missing: give 'deploymentName' here or for the group"
    url = group.base_url or ""
    if (DEPLOYMENT_NAME in url or "/deployments/" in url) and not _version(group, model):
        return "its API version is missing: give 'version' here or for the group, as 'baseURL' names a deployment"
    return None


def deployments(section: AzureSection, environ: Mapping[str, str]) -> Mapping[str, Deployment]:
    """Return where each model is, in the order of the file; for a section without problems."""
    return MappingProxyType(
        {
            name: _deployment(group, name, model, environ)
            for group in section.groups
            for name, model in group.models.items()
        }
    )


def group_layers(
    section: AzureSection, environ: Mapping[str, str], origin: Callable[[KeyPath], str]
) -> Iterator[Layer]:
    """Yield what each group for assistants says of `azureAssistants`; a serverless one has no resource for them."""
    for index, group in enumerate(section.groups if section.assistants else ()):
        named = [name for name, each in group.models.items() if each.assistants or group.assistants]
        if named and not group.serverless:
            version = _version(group, group.models[named[0]])
            place = AzurePlace(instance=group.instance_name, base_url=group.base_url, version=version)
            values: dict[str, Any] = {"baseURL": place.resource(named[0])}
            if group.api_key is not None:
                values["apiKey"] = Secret(group.api_key)
            if group.additional_headers:
                values[HEADERS] = {name: parse(text, environ) for name, text in group.additional_headers.items()}
            keys = (*values, *(f"{HEADERS}.{name}" for name in group.additional_headers))
            yield Layer(name="endpoint", values=values, origins=dict.fromkeys(keys, origin((*_GROUPS, index))))


def _deployment(
    group: AzureGroupSection, model: str, written: AzureModelSection, environ: Mapping[str, str]
) -> Deployment:
    place = AzurePlace(
        instance=group.instance_name,
        base_url=group.base_url,
        version=_version(group, written),
        serverless=group.serverless,
    )
    name = written.deployment_name or group.deployment_name or model
    params = dict(group.add_params)
    templates = {header: parse(value, environ) for header, value in group.additional_headers.items()}
    plain = place.deployment(name, api_key=group.api_key, use_responses_api=params.pop(_RESPONSES, False))
    return msgspec.structs.replace(
        plain,
        header_templates=MappingProxyType(templates),
        add_params=MappingProxyType(params),
        drop_params=tuple(group.drop_params),
    )


def _version(group: AzureGroupSection, model: AzureModelSection) -> str | None:
    return model.version or group.version or version_in(group.base_url)
