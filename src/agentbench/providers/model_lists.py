"""Which models an endpoint offers: those of the config, then those that it tells itself, remembered for a while."""

from __future__ import annotations

import logging
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import anyio
import msgspec

from agentbench.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.base import Provider

__all__ = ["ModelLists"]

_log = logging.getLogger(__name__)

# Seconds.
_KEPT = 300
_FAILURE_KEPT = 10
_LINES = 256
"""Where headers depend on the user there is a line for each, so the old ones are forgotten some time."""


class _Line:
    """What one upstream told one caller last, or the error in place of it."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.error: UpstreamError | None = None
        self.told_at = float("-inf")
        self.lock = anyio.Lock()

    def is_fresh(self, now: float) -> bool:
        return now < self.told_at + (_KEPT if self.error is None else _FAILURE_KEPT)


class ModelLists:
    """Remembers what endpoints list: five minutes, a failure ten seconds. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lines: dict[bytes, _Line] = {}

    async def listed(self, provider: Provider, endpoint: Endpoint, *, fresh: bool = False) -> tuple[str, ...]:
        """Return the models of the config in its order, then the others that the endpoint lists.

        It is asked if the config says so and nothing fresh is remembered, or always with `fresh`; who asks meanwhile
        waits for the same answer. Raises `UpstreamError` if it can't say and the config names no models.
        """
        if not endpoint.fetch_models:
            return endpoint.models
        line = self._line(endpoint)
        asked_at = self._clock()
        async with line.lock:
            if line.told_at < asked_at and (fresh or not self._serves(line, endpoint)):
                await self._fetch(line, provider, endpoint)
        if line.error is not None and not endpoint.models:
            raise line.error
        return _merged(endpoint, line.names)

    def known(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the models that are known without asking."""
        line = self._lines.get(_identity(endpoint))
        return _merged(endpoint, line.names if endpoint.fetch_models and line is not None else ())

    def _serves(self, line: _Line, endpoint: Endpoint) -> bool:
        """Return whether to answer from the line: a failure serves only those who have models to fall back to."""
        return line.is_fresh(self._clock()) and (line.error is None or bool(endpoint.models))

    def _line(self, endpoint: Endpoint) -> _Line:
        if len(self._lines) >= _LINES:
            now = self._clock()
            self._lines = {key: line for key, line in self._lines.items() if line.is_fresh(now)}
        return self._lines.setdefault(_identity(endpoint), _Line())

    async def _fetch(self, line: _Line, provider: Provider, endpoint: Endpoint) -> None:
        try:
            line.names, line.error = await provider.models(endpoint), None
        except UpstreamError as error:
            line.names, line.error = (), error.with_traceback(None)  # which would keep the request alive
            if endpoint.models:
                _log.warning("%s Only the models of the config are listed.", error.message)
        line.told_at = self._clock()


def _merged(endpoint: Endpoint, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(endpoint.models + names))


def _identity(endpoint: Endpoint) -> bytes:
    """Return a digest of whom is asked and as whom: headers may hold one caller's own key."""
    key, aws = endpoint.api_key, endpoint.aws_keys
    who = (
        endpoint.provider,
        endpoint.base_url,
        endpoint.region,
        None if key is None else key.reveal(),
        None if aws is None else aws.access_key_id,
        sorted(endpoint.headers.items()),
        endpoint.assistants,
    )
    return sha256(msgspec.json.encode(who)).digest()
