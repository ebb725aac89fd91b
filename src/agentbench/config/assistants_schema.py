"""The keys of `endpoints.assistants` and `endpoints.azureAssistants`, named as in librechat.yaml."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from agentbench.config.assistants import CAPABILITIES, VERSIONS, Capability, overruled
from agentbench.config.azure import azure_url, azure_version
from agentbench.config.discover import ASSISTANTS, AZURE_ASSISTANTS, how_to_offer
from agentbench.config.endpoint import USER_PROVIDED
from agentbench.config.endpoint_schema import BuiltInSection
from agentbench.config.problem import Problem
from agentbench.errors import UnknownName, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config.assistants import AssistantSettings
    from agentbench.config.endpoint import Catalog

__all__ = [
    "AssistantsSection",
    "AzureAssistantsSection",
    "ServedAssistantsSection",
    "assistant_problems",
    "assistant_warnings",
    "settings_of",
]


def _version(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or str(value) not in VERSIONS:
        raise ValueError("expected 1 or 2")
    return str(value)


def _azure_version(value: object) -> str:
    """Return the version of the Assistants API, or Azure's own of the address; YAML takes that for a date."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, bool) or (text.isdecimal() and text not in VERSIONS):
        raise ValueError("expected 1 or 2, or an API version such as 2024-05-01-preview, or v1")
    return azure_version(text)


def _azure_base_url(text: str) -> str:
    return USER_PROVIDED if text.strip() == USER_PROVIDED else azure_url(text)


def _capability(value: object) -> object:
    if isinstance(value, str) and value not in CAPABILITIES:
        close = nearest(value, CAPABILITIES)
        hint = f"Did you mean {close!r}?" if close else f"Known: {', '.join(CAPABILITIES)}."
        raise ValueError(f"unknown capability. {hint}")
    return value


_Name = Annotated[str, Field(min_length=1)]
_Names = Annotated[list[_Name], Field(min_length=1)]
_Capability = Annotated[Capability, BeforeValidator(_capability)]


class AssistantsSection(BuiltInSection):
    """What assistants may do, and who uses which; the shared keys hold for the upstream, if there is one."""

    disable_builder: bool = Field(
        default=False,
        alias="disableBuilder",
        examples=[True],
        description="whether nobody may make, change or delete assistants; administrators and the kernel included",
    )
    poll_interval_ms: int = Field(
        default=2000,
        ge=1,
        alias="pollIntervalMs",
        examples=[3000],
        description="milliseconds between two looks at an upstream's run that isn't streamed",
    )
    timeout_ms: int = Field(
        default=180_000,
        ge=1,
        alias="timeoutMs",
        examples=[60000],
        description="milliseconds that a run may work, from its beginning to its end; then it is stopped",
    )
    version: Annotated[str, PlainValidator(_version)] = Field(
        default="2", examples=[2], description="of the upstream's Assistants API: 1 or 2; what is served here is 2"
    )
    supported_ids: _Names | None = Field(
        default=None,
        alias="supportedIds",
        examples=["[asst_a]"],
        description="the only assistants that are listed and may be used, by anybody; none: all",
    )
    excluded_ids: _Names | None = Field(
        default=None,
        alias="excludedIds",
        examples=["[asst_b]"],
        description="assistants that are not listed and may not be used; without effect where `supportedIds` is set",
    )
    private_assistants: bool = Field(
        default=False,
        alias="privateAssistants",
        examples=[True],
        description="whether only its author sees and uses an assistant; both lists are without effect then",
    )
    retrieval_models: _Names | None = Field(
        default=None,
        alias="retrievalModels",
        examples=["[gpt-4o]"],
        description="the models whose assistants may have `file_search`; none: all models",
    )
    capabilities: list[_Capability] = Field(
        default_factory=lambda: list(CAPABILITIES),
        examples=["[retrieval, tools]"],
        description="what assistants may have: `code_interpreter`, images in messages (`image_vision`), `file_search`"
        " (`retrieval`), functions (`tools` or `actions`)",
    )


class ServedAssistantsSection(AssistantsSection):
    """`endpoints.assistants`: the assistants that are made and run here, and those of an upstream."""

    code_interpreter: bool = Field(
        default=False,
        alias="codeInterpreter",
        examples=[True],
        description="whether code that models write may run on this machine, for assistants with `code_interpreter`",
    )
    code_interpreter_time: float = Field(
        default=60,
        gt=0,
        le=3600,
        alias="codeInterpreterTime",
        examples=[20],
        description="seconds that one piece of code may run",
    )
    code_interpreter_memory: int = Field(
        default=512,
        ge=64,
        le=65_536,
        alias="codeInterpreterMemory",
        examples=[1024],
        description="memory that code may take, in megabytes",
    )
    substitutes: dict[str, _Name] | None = Field(
        default=None,
        examples=["{gpt-4o: router/large, '*': guide}"],
        description="who answers for models that are not here: an agent or `ENDPOINT/MODEL` by the model's name, `*`"
        " for all others; none: the default agent answers for all; `{}`: nobody, such models are refused",
    )


class AzureAssistantsSection(AssistantsSection):
    """`endpoints.azureAssistants`: an upstream at Azure."""

    base_url: Annotated[str, AfterValidator(_azure_base_url)] | None = Field(
        default=None,
        alias="baseURL",
        examples=["https://my-resource.openai.azure.com/openai"],
        description="the resource's address, and `?api-version=…` if you like; none: that of the group of"
        " `azureOpenAI` which says `assistants: true`; `user_provided`: each person's own",
    )
    version: Annotated[str, PlainValidator(_azure_version)] = Field(
        default="2",
        examples=["2024-05-01-preview"],
        description="Azure's API version, `v1` for its v1 API; 1 and 2 are versions of the Assistants API, and then"
        " Azure's is the group's, or `2024-05-01-preview`",
    )


def settings_of(catalog: Catalog, name: str) -> AssistantSettings | None:
    """Return the settings of one of the two blocks; None for any other, and where there is none."""
    if name == ASSISTANTS:
        return catalog.assistants
    found = catalog.endpoints.get(name) if name == AZURE_ASSISTANTS else None
    return found.assistants if found is not None else None


def assistant_problems(catalog: Catalog) -> Iterator[Problem]:
    """Yield the substitutes that nobody here is."""
    for model, name in (catalog.assistants.substitutes or {}).items():
        if text := _unknown(name, catalog):
            yield Problem(("endpoints", "assistants", "substitutes", model), text)


def _unknown(name: str, catalog: Catalog) -> str | None:
    if name in catalog.agents:
        return None
    prefix, _, model = name.partition("/")
    try:
        endpoint = catalog.endpoint(prefix)
    except UnknownName as error:
        known = [*catalog.agents, *(f"{each.name}/{model or 'MODEL'}" for each in catalog.endpoints.values())]
        return how_to_offer(prefix) or (error.message if model else UnknownName("agent", name, known).message)
    if not model:
        return f"expected an agent or ENDPOINT/MODEL, such as '{endpoint.name}/{endpoint.default_model or 'MODEL'}'"
    if endpoint.models and not endpoint.fetch_models and model not in endpoint.models:
        return UnknownName("model", model, endpoint.models).message
    return None


def assistant_warnings(catalog: Catalog) -> list[str]:
    """Return a line for each key that another one leaves without effect, with its place."""
    return [
        f"{_origin(catalog, name, key)}: endpoints.{name}.{key}: {sentence}"
        for name in (ASSISTANTS, AZURE_ASSISTANTS)
        if (settings := settings_of(catalog, name)) is not None
        for key, sentence in overruled(settings).items()
    ]


def _origin(catalog: Catalog, name: str, key: str) -> str:
    layers = catalog.layers.get(name, ())
    return next((layer.origins[key] for layer in reversed(layers) if key in layer.origins), "built in")
