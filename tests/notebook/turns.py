"""Stored turns, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agentbench.protocol import Response
from agentbench.protocol.items import assistant_message, user_message
from agentbench.storage.responses import StoredResponse
from agentbench.storage.usage import UsageRow

if TYPE_CHECKING:
    from agentbench.protocol import Item

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def turn(question: str, answer: str | tuple[Item, ...], *images: str, **options: Any) -> StoredResponse:
    """Return a turn: a question with images, and an answer's text or items; options are the response's."""
    output = (assistant_message(answer),) if isinstance(answer, str) else answer
    settings: dict[str, Any] = {"id": "resp_1", "status": "completed", "model": "m"} | options
    response = Response(created_at=0, output=output, **settings)
    asked = (user_message(question, *images),)
    return StoredResponse(response=response, input=asked, user="u", endpoint="e", created_at=NOW)


def row(**values: Any) -> UsageRow:
    """Return a call in the ledger."""
    settings: dict[str, Any] = {
        "id": "use_1",
        "time": NOW,
        "user": "u",
        "context": "message",
        "response_id": "resp_1",
        "endpoint": "e",
        "model": "m",
        "input_tokens": 10,
        "output_tokens": 5,
        "duration": 1.0,
        "status": "completed",
    }
    return UsageRow(**settings | values)
