"""From what people say in Python to a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.protocol.compose import request_of
from agentbench.protocol.request import TextConfig
from agentbench.protocol.schema import schema_format
from agentbench.runner.turn import Cell, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.config.endpoint import Catalog
    from agentbench.protocol import Response
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse

__all__ = ["turn_of"]


def turn_of(
    catalog: Catalog,
    text: str | Sequence[Any],
    *,
    agent: str | None = None,
    model: str | None = None,
    conversation: str | Conversation | None = None,
    previous: Response | str | None = None,
    images: str | Sequence[str] = (),
    schema: Any = None,
    cell: Cell | None = None,
    past: Sequence[StoredResponse] | None = None,
    **parameters: Any,
) -> Turn:
    """Return a question as a turn, to the catalog's default agent if it names none; raises what `request_of` raises."""
    if schema is not None:
        parameters["text"] = TextConfig(format=schema_format(schema))
    request = request_of(
        text,
        images=[images] if isinstance(images, str) else images,
        model=model,
        previous_response_id=_id_of(previous),
        **parameters,
    )
    if agent is None and model not in catalog.agents:
        agent = catalog.default_agent.id
    before = None if past is None else tuple(past)
    return Turn(request=request, agent=agent, conversation=_id_of(conversation), cell=cell, past=before)


def _id_of(value: Conversation | Response | str | None) -> str | None:
    return value if isinstance(value, str | None) else value.id
