"""An experiment on its way, for those who watch the answers come and may stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from agentbench.gateway.crossing import Crossing
from agentbench.workbench.experiments.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.gateway.crossing import LoopThread
    from agentbench.protocol import Event
    from agentbench.protocol.trial import Trial
    from agentbench.workbench.experiments.limits import Limits
    from agentbench.workbench.experiments.ways import Attempt

    Came: TypeAlias = tuple[int, list[Event] | Trial]
    """The index of an attempt, with what came of it, or at its end with its trial."""

__all__ = ["Live"]


class Live:
    """Asks at once. Read what comes until there is no more; then `trials` has all that came of it."""

    def __init__(self, attempts: Sequence[Attempt], loop: LoopThread, limits: Limits) -> None:
        self._attempts = attempts
        asked = {index: each for index, each in enumerate(attempts) if not each.missing}
        self._engine = Engine(asked, limits, (), known={}, watched=True)
        self._crossing: Crossing[Came] = Crossing(loop, self._engine.work)

    @property
    def trials(self) -> list[Trial]:
        """A trial for each attempt, in their order; what hasn't ended, or wasn't asked, was skipped."""
        made = dict(self._engine.made)
        return [made.get(index) or _skipped(each) for index, each in enumerate(self._attempts)]

    def read(self, timeout: float | None = None) -> Came | None:
        """Wait for what comes next; None at the end. Raises `TimeoutError` after `timeout` seconds."""
        return self._crossing.get(timeout)

    async def aread(self) -> Came | None:
        """Do what `read` does, from a running event loop. Cancelling it loses nothing."""
        return await self._crossing.aget()

    def stop(self) -> None:
        """End all answers now, whole as far as they came, and ask no more."""
        self._crossing.call(self._engine.stop)

    def close(self) -> None:
        """Cancel what still runs, and wait until it is cleaned up."""
        self._crossing.close()


def _skipped(attempt: Attempt) -> Trial:
    if attempt.missing:
        return attempt.skipped(attempt.missing, "missing_value")
    return attempt.skipped("It was not asked: the experiment was interrupted.", "interrupted")
