"""What one turn is: the request, and where it came from."""

from __future__ import annotations

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config.endpoint import Agent
from agentbench.protocol import CreateResponse
from agentbench.protocol.values import Value
from agentbench.runner.budget import Budget
from agentbench.runner.documents import Document
from agentbench.storage.responses import StoredResponse

__all__ = ["Cell", "Turn"]


class Cell(Value, frozen=True, kw_only=True):
    """The notebook cell that asks.

    `run` tells one execution of the cell from another, across kernels too; `id` is None where the notebook doesn't
    give cells ids. `notebook` is the path of its file, where that is known.
    """

    id: str | None
    run: str
    execution_count: int | None = None
    notebook: str | None = None


class Turn(Value, frozen=True, kw_only=True):
    """A request, who makes it, and the conversation that it belongs to, if any.

    `agent` is an agent's id; without it the request's `model` may name an agent or an `endpoint/model`. A `persona`
    answers in place of either: an assistant, which no config names. `past` holds the turns before where the caller has
    them, stored or not; None has them looked up. Its calls count against the `budgets`; a `patient` one's wait where
    calls that still run hold what they need. The answer may rest on the `documents`.
    """

    request: CreateResponse
    principal: Principal = KERNEL
    agent: str | None = None
    persona: Agent | None = None
    conversation: str | None = None
    cell: Cell | None = None
    context: str = "message"
    past: tuple[StoredResponse, ...] | None = None
    budgets: tuple[Budget, ...] = ()
    patient: bool = False
    documents: tuple[Document, ...] = ()
