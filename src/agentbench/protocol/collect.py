"""From a stream of events to the response that it told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import UpstreamUnavailable
from agentbench.protocol.events import TERMINAL, Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol.response import Response

__all__ = ["collect"]


def collect(events: Iterable[Event]) -> Response:
    """Return the response that a stream ends in.

    Raises `UpstreamUnavailable` if the stream breaks off before its terminal event.
    """
    for event in events:
        if isinstance(event, TERMINAL):
            return event.response
    raise UpstreamUnavailable("The stream broke off before its last event. Ask again.")
