"""How many calls of an experiment are in flight at once, by endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.endpoint import Endpoint

__all__ = ["Limits"]

_USUAL = 4
_IN_PROCESS = 2
"""For models that share this machine's cores."""


class Limits:
    """Limits of `at_once` calls an endpoint, one number for all or one by endpoint's name; None is 4, for `local` 2.

    Raises `InvalidRequest` for less than 1.
    """

    def __init__(self, at_once: int | Mapping[str, int] | None = None) -> None:
        self._all = at_once if isinstance(at_once, int) else None
        self._named = {} if at_once is None or isinstance(at_once, int) else dict(at_once)
        self._made: dict[str, anyio.CapacityLimiter] = {}
        for number in (*self._named.values(), *([] if self._all is None else [self._all])):
            if number < 1:
                raise InvalidRequest("At least one call must be in flight: at_once=1 or more.", param="at_once")

    def number(self, endpoint: Endpoint) -> int:
        """Return how many calls may be in flight there."""
        usual = _IN_PROCESS if endpoint.provider == "llama_cpp" else _USUAL
        return self._named.get(endpoint.name, self._all or usual)

    def of(self, endpoint: Endpoint) -> anyio.CapacityLimiter:
        """Return what an endpoint's calls are made within; call it on the event loop that makes them."""
        if endpoint.name not in self._made:
            self._made[endpoint.name] = anyio.CapacityLimiter(self.number(endpoint))
        return self._made[endpoint.name]
