"""What one turn is: the request, and where it came from."""

from __future__ import annotations

from agentbench.auth.principal import KERNEL, Principal
from agentbench.protocol import CreateResponse
from agentbench.protocol.values import Value
from agentbench.storage.responses import StoredResponse

__all__ = ["Cell", "Turn"]


class Cell(Value, frozen=True, kw_only=True):
    """The notebook cell that asks.

    `run` tells one execution of the cell from another, across kernels too; `id` is None where the notebook doesn't
    give cells ids.
    """

    id: str | None
    run: str
    execution_count: int | None = None


class Turn(Value, frozen=True, kw_only=True):
    """A request, who makes it, and the conversation that it belongs to, if any.

    `agent` is an agent's id; without it the request's `model` may name an agent or an `endpoint/model`. `past` holds
    the turns before where the caller has them, stored or not; None has them looked up.
    """

    request: CreateResponse
    principal: Principal = KERNEL
    agent: str | None = None
    conversation: str | None = None
    cell: Cell | None = None
    context: str = "chat"
    past: tuple[StoredResponse, ...] | None = None
