"""From what the caller asked and what the agent is to the request that the provider gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.runner.history import History
    from agentbench.runner.target import Target

__all__ = ["merged"]

_PARAMETERS = ("temperature", "top_p", "max_output_tokens", "presence_penalty", "frequency_penalty")


def merged(request: CreateResponse, target: Target, history: History) -> CreateResponse:
    """Return the request with the past in front of its input.

    The agent's instructions come before the request's; its parameters hold where the request gives none.
    """
    changes: dict[str, object] = {"model": target.model, "input": (*history.items, *request.input)}
    if target.agent is not None:
        own = target.agent.parameters
        changes |= {name: getattr(own, name) for name in _PARAMETERS if getattr(request, name) is None}
        both = [text for text in (target.agent.instructions, request.instructions) if text]
        changes["instructions"] = "\n\n".join(both) or None
    return msgspec.structs.replace(request, **changes)
