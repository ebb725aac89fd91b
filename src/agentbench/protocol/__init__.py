"""The canonical language between providers, runner and surfaces: Open Responses, release 2026-04-24.

Values only, no I/O. The spec is at openresponses.org; `docs/glossary.md` defines the words.
"""

from __future__ import annotations

from agentbench.protocol.builder import EventBuilder
from agentbench.protocol.collect import collect
from agentbench.protocol.events import Event
from agentbench.protocol.items import InputItem, Item
from agentbench.protocol.request import CreateResponse
from agentbench.protocol.response import Response, Usage, draft

__all__ = [
    "CreateResponse",
    "Event",
    "EventBuilder",
    "InputItem",
    "Item",
    "Response",
    "Usage",
    "collect",
    "draft",
]
