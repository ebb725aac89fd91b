"""Where Azure runs a model: addresses, and what the environment says of them.

What a file says of them is read in `azure_schema.py`.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import msgspec

from agentbench.config.endpoint import Deployment
from agentbench.config.secret import Secret
from agentbench.config.url import http_url
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ASSISTANTS_VERSION",
    "AZURE_KEYS",
    "DEPLOYMENT_NAME",
    "INSTANCE_NAME",
    "AzurePlace",
    "azure_assistants",
    "azure_from_environ",
    "azure_instance",
    "azure_origin",
    "azure_url",
    "azure_version",
    "version_in",
]

ASSISTANTS_VERSION = "2024-05-01-preview"
"""The first API version with version 2 of the Assistants API."""
AZURE_KEYS = ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY")
"""The environment variables that offer Azure: LibreChat's, then the SDK's; the first that is set counts."""
INSTANCE_NAME = "${INSTANCE_NAME}"
DEPLOYMENT_NAME = "${DEPLOYMENT_NAME}"

_VERSIONS = ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
_INSTANCE = "AZURE_OPENAI_API_INSTANCE_NAME"
_BASE_URL = "AZURE_OPENAI_BASEURL"
_V1 = (None, "v1", "latest", "preview")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_VERSION = re.compile(r"[A-Za-z0-9.-]+")
_QUERY = "api-version="


class AzurePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a resource is: its base URL or else its instance; a dated API version means the API before v1."""

    instance: str | None = None
    base_url: str | None = None
    version: str | None = None
    serverless: bool = False
    """The base URL is the model's own, whatever it looks like."""

    def deployment(self, name: str, *, api_key: str | None, use_responses_api: bool = False) -> Deployment:
        """Return the deployment of that name."""
        url = self._url(name, responses=use_responses_api)
        needless = self.version == "v1" or (self.version not in _V1 and url.endswith("/openai/v1"))
        return Deployment(
            name=name,
            base_url=url,
            api_version=None if needless else self.version,
            api_key=Secret(api_key) if api_key else None,
            use_responses_api=use_responses_api,
        )

    def resource(self, name: str) -> str:
        """Return the address of the resource that has this deployment, as `azure_assistants` reads it."""
        return self._written(name) + (f"?{_QUERY}{self.version}" if self.version else "")

    def _url(self, name: str, *, responses: bool) -> str:
        """Return the address before `/chat/completions` or `/responses`.

        A base URL with no path, or just `/openai`, is the resource's. No address of Responses names the deployment.
        """
        url, deployment = self._written(name), f"/deployments/{quote(name, safe='')}"
        is_resource = url.endswith("/openai") or not urlsplit(url).path
        if is_resource and not self.serverless:
            url = url.removesuffix("/openai") + "/openai" + ("/v1" if self.version in _V1 else deployment)
        return url.removesuffix(deployment) if responses else url

    def _written(self, name: str) -> str:
        instance = self.instance or ""
        if not self.base_url:
            return f"https://{instance}" + ("" if "." in instance else ".openai.azure.com")
        url = self.base_url.partition("?")[0].replace(INSTANCE_NAME, instance.partition(".")[0])
        url = url.replace(DEPLOYMENT_NAME, quote(name, safe="")).rstrip("/")
        return url.removesuffix("/chat/completions").removesuffix("/responses")


def azure_assistants(base_url: str, version: str | None) -> tuple[str, str | None]:
    """Return the address before `/assistants`, and the API version to name there; one in the base URL counts too.

    An address of the v1 API needs none; any other one does.
    """
    address = base_url.partition("?")[0].partition("/deployments/")[0].rstrip("/")
    if not urlsplit(address).path:
        address += "/openai"
    version = version or version_in(base_url)
    if version in _V1[1:] and address.endswith("/openai"):
        address += "/v1"
    if version == "v1" or address.endswith("/v1"):
        return address, version if version in _V1[2:] else None
    return address, version or ASSISTANTS_VERSION


def azure_url(text: str) -> str:
    """Return a base URL that may hold the two placeholders and an API version; raise `ValueError`."""
    address, _, query = text.strip().partition("?")
    http_url(address.replace(INSTANCE_NAME, "name").replace(DEPLOYMENT_NAME, "name"))
    if query and not (query.startswith(_QUERY) and _VERSION.fullmatch(query.removeprefix(_QUERY))):
        raise ValueError("expected a URL such as https://host/v1, with nothing but 'api-version=…' after '?'")
    return text.strip()


def version_in(base_url: str | None) -> str | None:
    """Return the API version that a base URL ends in."""
    return (base_url or "").partition(f"?{_QUERY}")[2] or None


def azure_instance(text: str) -> str:
    """Return a resource's name, or its domain; raise `ValueError`."""
    if not _HOST.fullmatch(text.strip()):
        raise ValueError("expected a resource's name such as my-resource, or its domain, with no 'https://'")
    return text.strip()


def azure_version(text: str) -> str:
    """Return the version; raise `ValueError` for what can't be one."""
    if not _VERSION.fullmatch(text.strip()):
        raise ValueError("expected an API version such as 2024-10-21, or v1")
    return text.strip()


def azure_origin(environ: Mapping[str, str]) -> str:
    """Return which variable offers Azure."""
    return f"environment variable {next((each for each in AZURE_KEYS if environ.get(each, '').strip()), AZURE_KEYS[0])}"


def azure_from_environ(environ: Mapping[str, str]) -> Mapping[str, Deployment]:
    """Return the deployments by model that LibreChat's variables and the SDK's tell of.

    There are none without a key, an address and a name; raises `ConfigError` for an address that can't be one.
    """
    key, named = _first(environ, *AZURE_KEYS), _first(environ, "AZURE_OPENAI_API_DEPLOYMENT_NAME")
    written = _first(environ, "AZURE_OPENAI_MODELS") or named
    if not (key and written):
        return MappingProxyType({})
    place = _place(environ)
    if not (place.base_url or place.instance):
        return MappingProxyType({})
    models = [each.strip() for each in written.split(",")]
    return MappingProxyType({model: place.deployment(named or model, api_key=key) for model in models if model})


def _place(environ: Mapping[str, str]) -> AzurePlace:
    instance = _checked(environ, _INSTANCE, azure_instance)
    base_url = _checked(environ, _BASE_URL, azure_url)
    if base_url is None and instance is None:
        base_url = _endpoint(environ)
    if INSTANCE_NAME in (base_url or "") and instance is None:
        raise ConfigError(f"Environment variable {_BASE_URL} holds {INSTANCE_NAME}: set {_INSTANCE} too.")
    versions = (_checked(environ, name, azure_version) for name in _VERSIONS)
    version = next((each for each in versions if each), None) or version_in(base_url)
    return AzurePlace(instance=instance, base_url=base_url, version=version)


def _endpoint(environ: Mapping[str, str]) -> str | None:
    """Return the resource's address, which the SDK completes whatever its path."""
    found = _checked(environ, "AZURE_OPENAI_ENDPOINT", http_url)
    return found if found is None or found.endswith(("/openai", "/openai/v1")) else f"{found}/openai"


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((value for name in names if (value := environ.get(name, "").strip())), None)


def _checked(environ: Mapping[str, str], name: str, check: Callable[[str], str]) -> str | None:
    value = _first(environ, name)
    if value is None:
        return None
    try:
        return check(value)
    except ValueError as error:
        problem = str(error)
    raise ConfigError(f"Environment variable {name}: {problem}.")
