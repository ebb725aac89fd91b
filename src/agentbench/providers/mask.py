"""Keeps secrets out of what is shown of an upstream's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint

__all__ = ["mask", "shown"]

_KEY_LIKE = re.compile(r"\b((?:sk|pk|gsk|xai|hf|key)[-_]|AIza|(?i:bearer) )[\w*.-]{6,}")
_SECRET_LENGTH = 8  # a header's value that is shorter is no secret, and could stand anywhere in a text
_SHOWN = 300  # characters


def mask(text: str, endpoint: Endpoint | None = None) -> str:
    """Return `text` with the endpoint's key and header values, and whatever else looks like a key, taken out."""
    for secret in _secrets(endpoint):
        text = text.replace(secret, "****")
    return _KEY_LIKE.sub(r"\1****", text)


def shown(text: object, endpoint: Endpoint | None = None) -> str:
    """Return the beginning of what an upstream says, fit for a message."""
    return mask(str(text), endpoint).strip()[:_SHOWN]


def _secrets(endpoint: Endpoint | None) -> list[str]:
    if endpoint is None:
        return []
    deployments, aws = endpoint.deployments.values(), endpoint.aws_keys
    headers = [endpoint.headers, *(each.headers for each in deployments)]
    keys = [endpoint.api_key, *(each.api_key for each in deployments)]
    if aws is not None:
        keys += [aws.secret_access_key, aws.session_token]
    values = [value for each in headers for value in each.values() if len(value) >= _SECRET_LENGTH]
    return [secret for secret in (*values, *(key.reveal() for key in keys if key is not None)) if secret]
