"""Whether an endpoint can be used as it is configured, and what to do if not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.config.endpoint import USER_PROVIDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.config.discover import Kind
    from agentbench.config.endpoint import Endpoint
    from agentbench.config.layers import Layer

__all__ = ["is_own", "usable"]

_FIELDS = {"apiKey": "api_key", "baseURL": "base_url"}
_NEEDED = {**_FIELDS, "region": "region"}
_CALLED = {"apiKey": "key", "baseURL": "base URL", "region": "region"}


def is_own(layers: Sequence[Layer], key: str) -> bool:
    """Tell whether each person gives their own key or address."""
    return any(layer.values.get(key) == USER_PROVIDED for layer in layers)


def usable(endpoint: Endpoint, layers: Sequence[Layer], kind: Kind | None) -> Endpoint:
    """Return the endpoint, with the reason why it can't be used if there is one.

    A key or an address that each person gives makes it personal; to an address of theirs the operator's headers are
    not sent.
    """
    personal = [key for key in _FIELDS if is_own(layers, key)]
    missing = [key for key in personal if getattr(endpoint, _FIELDS[key]) == USER_PROVIDED]
    changes: dict[str, object] = {"personal": bool(personal)}
    if "baseURL" in personal:
        changes["header_templates"] = {}
    if missing:
        key = missing[0]
        changes[_FIELDS[key]] = None
        changes["unsupported"] = (
            f"{endpoint.name} wants a {_CALLED[key]} of your own: bench.config.set('{endpoint.name}.{key}', …)."
        )
    elif kind is not None and (lacking := _lacking(endpoint, kind)):
        changes["unsupported"] = lacking
    return msgspec.structs.replace(endpoint, **changes)


def _lacking(endpoint: Endpoint, kind: Kind) -> str | None:
    if kind.needs is None or getattr(endpoint, _NEEDED[kind.needs]):
        return None
    variables = kind.variables[kind.needs]
    if endpoint.base_url and kind.needs == "region":
        return None
    if kind.keyless and endpoint.base_url != kind.base_url:
        return None
    told = (
        f"{endpoint.name} has no {_CALLED[kind.needs]}. Set {' or '.join(variables)},"
        f" or endpoints.{endpoint.name}.{kind.needs} in the config."
    )
    return f"{told} {kind.or_else}".strip()
