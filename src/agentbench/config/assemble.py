"""From an endpoint's merged settings to the one frozen `Endpoint`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.config.assistants import VERSIONS, assistant_settings
from agentbench.config.azure import azure_assistants
from agentbench.config.discover import AZURE_ASSISTANTS
from agentbench.config.endpoint import USER_PROVIDED, AwsKeys, Endpoint
from agentbench.config.layers import HEADERS, merged, values_of
from agentbench.config.readiness import usable
from agentbench.config.settings import Timeouts, Titles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentbench.config.discover import Kind
    from agentbench.config.endpoint import Deployment, Provider
    from agentbench.config.layers import Layer

__all__ = ["AZURE", "azure", "body_fields", "built_in", "model_fields", "provider_of", "shared_fields"]

AZURE = "azureOpenAI"

# key in the config: field of Titles
_TITLES = {
    "titleConvo": "enabled",
    "titleTiming": "timing",
    "titleModel": "model",
    "titleMethod": "method",
    "titlePrompt": "prompt",
    "titlePromptTemplate": "template",
    "titleEndpoint": "endpoint",
}
_TIMEOUTS = {"connectTimeout": "connect", "firstByteTimeout": "first_byte", "silenceTimeout": "silence"}
_PLAIN = {"streamRate": "stream_rate", "maxToolResultChars": "max_tool_result_chars"}


def shared_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an endpoint that the shared settings and rates among `values` give."""
    fields = _renamed(_PLAIN, values)
    if titles := _renamed(_TITLES, values):
        if titles.get("method") == "functions":
            titles["method"] = "structured"
        fields["titles"] = Titles(**titles)
    if timeouts := _renamed(_TIMEOUTS, values):
        fields["timeouts"] = Timeouts(**timeouts)
    if rates := values.get("tokenConfig"):
        fields["rates"] = MappingProxyType(rates)
    if templates := values.get(HEADERS):
        fields["header_templates"] = MappingProxyType(dict(templates))
    return fields


def built_in(kind: Kind, layers: Sequence[Layer], *, block: str | None) -> Endpoint:
    """Return the endpoint of a kind; `block` says where its block begins, if it has one.

    The first layer is what the environment says. Where the key is from there, that is where the endpoint is from.
    """
    values, environment = values_of(merged(layers)), layers[0]
    from_environment = "apiKey" in environment.values and values["apiKey"] is environment.values["apiKey"]
    first = next(iter(environment.origins.values()), "built in")
    made = Endpoint(
        name=kind.name,
        origin=environment.origins["apiKey"] if from_environment else block or first,
        provider=provider_of(kind.provider, values),
        base_url=values.get("baseURL") or kind.base_url,
        api_key=values.get("apiKey"),
        region=values.get("region"),
        aws_keys=_aws_keys(values),
        **model_fields(values.get("models"), fetch=True),
        **body_fields(values),
        **shared_fields(values),
    )
    if kind.provider == "assistants":
        made = msgspec.structs.replace(made, **_assistants(kind, values))
    return usable(made, layers, kind)


def azure(deployments: Mapping[str, Deployment], layers: Sequence[Layer], *, origin: str) -> Endpoint:
    """Return the endpoint of what Azure runs; without any deployment it can't be used."""
    missing = "azureOpenAI has no models. Set AZURE_API_KEY and where it is, or endpoints.azureOpenAI.groups."
    return Endpoint(
        name=AZURE,
        provider="azure_openai",
        models=tuple(deployments),
        deployments=deployments,
        unsupported=None if deployments else missing,
        origin=origin,
        **shared_fields(values_of(merged(layers))),
    )


def provider_of(usual: Provider, values: Mapping[str, Any]) -> Provider:
    """Return the wire format; OpenAI has two."""
    return "openai_responses" if values.get("useResponsesApi") else usual


def model_fields(models: Any, *, fetch: bool) -> dict[str, Any]:
    """Return the fields that a block of models gives, or a mere list from the environment; None means neither."""
    if models is None or isinstance(models, tuple):
        return {"models": models or (), "fetch_models": fetch}
    return {"models": tuple(dict.fromkeys(models.default)), "fetch_models": models.fetch}


def body_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that change the body of a request."""
    added = dict(values.get("addParams", {}))
    if guardrail := values.get("guardrailConfig"):
        added.setdefault("guardrailConfig", guardrail)
    return {"add_params": MappingProxyType(added), "drop_params": tuple(values.get("dropParams", ()))}


def _assistants(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an upstream whose models are assistants; other names are the models that those are on."""
    settings, base_url = assistant_settings(values), values.get("baseURL")
    listed, fetch = model_fields(values.get("models"), fetch=True).values()
    ids = tuple(each for each in listed if each.startswith("asst_"))
    fields: dict[str, Any] = {"models": ids, "fetch_models": fetch or not ids}
    azures = None
    if settings.version not in VERSIONS:
        azures, settings = settings.version, msgspec.structs.replace(settings, version=VERSIONS[-1])
    if kind.name == AZURE_ASSISTANTS and base_url and base_url != USER_PROVIDED:
        fields["base_url"], azures = azure_assistants(base_url, azures)
        settings = msgspec.structs.replace(settings, api_version=azures)
    return {**fields, "assistants": settings}


def _renamed(names: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: values[key] for key, field in names.items() if key in values}


def _aws_keys(values: Mapping[str, Any]) -> AwsKeys | None:
    key_id, secret = values.get("accessKeyId"), values.get("secretAccessKey")
    if not (key_id and secret):
        return None
    return AwsKeys(access_key_id=key_id, secret_access_key=secret, session_token=values.get("sessionToken"))
