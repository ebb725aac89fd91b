"""Asks what is planned, on the event loop of the workbench: so many at once an endpoint, each once."""

from __future__ import annotations

from collections import defaultdict
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import anyio

from agentbench.errors import BudgetExceeded
from agentbench.workbench.experiments.titling import title_run, title_trial, who_titles
from agentbench.workbench.experiments.trying import trial_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agentbench.protocol import Event
    from agentbench.protocol.trial import Trial
    from agentbench.runner.run import Run
    from agentbench.workbench.experiments.limits import Limits
    from agentbench.workbench.experiments.scoring import Scorer
    from agentbench.workbench.experiments.ways import Attempt, Way

    Put = Callable[[tuple[int, list[Event] | Trial]], None]
    See = Callable[[list[Event]], None]
    Begin = Callable[[Run], None]

__all__ = ["Engine", "asked"]


class Engine:
    """Asks each attempt and has its answer scored by those to await. `made` holds what has ended, by index.

    `known` are trials of those that aren't asked again, but miss a score.
    """

    def __init__(
        self,
        attempts: Mapping[int, Attempt],
        limits: Limits,
        scorers: Sequence[Scorer],
        *,
        known: Mapping[int, Trial],
        watched: bool,
    ) -> None:
        self.made: dict[int, Trial] = {}
        self._attempts = attempts
        self._limits = limits
        self._scorers = scorers
        self._known = known
        self._watched = watched
        self._refused: dict[Way, tuple[int, str]] = {}
        self._begun: WeakSet[Run] = WeakSet()
        self._stopped = False

    def stop(self) -> None:
        """End what runs, whole as far as it came, and ask no more. Call it on the event loop that works."""
        self._stopped = True
        for run in list(self._begun):
            run.stop()

    async def work(self, put: Put) -> None:
        """Ask all, and put each trial with its index once it has ended, after its events if they are watched."""
        by_endpoint: dict[str, list[int]] = defaultdict(list)
        for index, attempt in self._attempts.items():
            by_endpoint[attempt.way.target.endpoint.name].append(index)
        async with anyio.create_task_group() as group:
            for indexes in by_endpoint.values():
                left = iter(indexes)
                number = self._limits.number(self._attempts[indexes[0]].way.target.endpoint)
                for _ in range(min(number, len(indexes))):
                    group.start_soon(self._work, left, put)

    async def _work(self, left: Iterator[int], put: Put) -> None:
        for index in left:
            if self._stopped:
                return
            trial = self._known.get(index) or await self._tried(index, put)
            self.made[index] = trial = await self._scored(trial)
            put((index, trial))

    async def _scored(self, trial: Trial) -> Trial:
        for scorer in self._scorers:
            if not (self._stopped or scorer.has_scored(trial)):
                trial = await scorer.score(trial)
        return trial

    async def _tried(self, index: int, put: Put) -> Trial:
        attempt = self._attempts[index]
        if (reason := self._refusal(attempt)) is not None:
            return attempt.skipped(reason, BudgetExceeded.code)

        def see(batch: list[Event]) -> None:
            if self._watched:
                put((index, batch))

        trial = await asked(attempt, self._limits, see, self._begin)
        if trial.error_type == BudgetExceeded.code:
            self._refused[attempt.way] = (len(attempt.prompt), trial.error or "")
        return trial

    def _begin(self, run: Run) -> None:
        self._begun.add(run)
        if self._stopped:
            run.stop()

    def _refusal(self, attempt: Attempt) -> str | None:
        """Return why a budget won't allow this one either: it has refused one that was as short, asked the same way."""
        length, reason = self._refused.get(attempt.way, (0, None))
        return reason if len(attempt.prompt) >= length else None


async def asked(attempt: Attempt, limits: Limits, see: See = lambda _: None, begin: Begin = lambda _: None) -> Trial:
    """Return what comes of an attempt, whatever that is; `begin` is shown its run, `see` the events on their way."""
    way = attempt.way
    if not way.titles:
        return await _answered(attempt, limits, see, begin)
    answer = ""
    if way.target.endpoint.titles.timing == "final":
        answered = await _answered(attempt, limits, see, begin)
        if answered.answer is None:
            return answered
        answer = answered.answer
    target = who_titles(way)
    async with limits.of(target.endpoint):
        run = title_run(way, attempt.prompt, answer, target)
        begin(run)
        return title_trial(way, await _outcome(run, see, **attempt.known))


async def _answered(attempt: Attempt, limits: Limits, see: See, begin: Begin) -> Trial:
    way = attempt.way
    async with limits.of(way.target.endpoint):
        try:
            run = way.start(attempt.prompt)
        except Exception as error:  # noqa: BLE001 - what fails is a row
            return attempt.failed(error)
        begin(run)
        trial = await _outcome(run, see, wants_json=way.shape is not None, **attempt.known)
    return trial if way.shape is None else way.shape.checked(trial)


async def _outcome(run: Run, see: See, /, **known: Any) -> Trial:
    error: Exception | None = None
    try:
        async with aclosing(run.events()) as batches:
            async for batch in batches:
                see(batch)
    except Exception as raised:  # noqa: BLE001 - what fails is a row
        error = raised
    return trial_of(run, error, **known)
