"""Keeps secrets out of what is shown of an upstream's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.header_templates import is_sensitive
from agentbench.config.secret import MASK, without_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config.endpoint import Deployment, Endpoint

__all__ = ["mask", "secrets_of", "shown"]

_SECRET_LENGTH = 8  # a header's value that is shorter is no secret, and could stand anywhere in a text
_SHOWN = 300  # characters


def mask(text: str, endpoint: Endpoint | None = None) -> str:
    """Return `text` with the endpoint's key and header values, and whatever else looks like a key, taken out."""
    if endpoint is not None:
        for secret in sorted(secrets_of(endpoint), key=len, reverse=True):  # one may be a part of another
            text = text.replace(secret, MASK)
    return without_keys(text)


def shown(text: object, endpoint: Endpoint | None = None) -> str:
    """Return the beginning of what an upstream says, fit for a message."""
    return mask(str(text), endpoint).strip()[:_SHOWN]


def secrets_of(endpoint: Endpoint) -> set[str]:
    """Return the endpoint's keys and what its headers say."""
    places: list[Endpoint | Deployment] = [endpoint, *endpoint.deployments.values()]
    aws = endpoint.aws_keys
    keys = [place.api_key for place in places]
    if aws is not None:
        keys += [aws.secret_access_key, aws.session_token]
    values = {value for place in places for value in _header_texts(place) if len(value) >= _SECRET_LENGTH}
    return values | {key.reveal() for key in keys if key is not None and key.reveal()}


def _header_texts(place: Endpoint | Deployment) -> Iterator[str]:
    """Yield what an upstream could repeat of the headers: whole values, and the parts that may be secret alone."""
    for name, value in place.headers.items():
        yield value
        if is_sensitive(name):
            yield from value.split()
    for template in place.header_templates.values():
        yield from (secret.reveal() for secret in template.secrets)
