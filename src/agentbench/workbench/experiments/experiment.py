"""An experiment: what is planned and what has come of it, from the thread that waits for it."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.gateway.crossing import Crossing
from agentbench.protocol.trial import Trial
from agentbench.workbench.experiments.engine import Engine
from agentbench.workbench.experiments.journal import Journal
from agentbench.workbench.experiments.live import Live
from agentbench.workbench.experiments.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from agentbench.gateway.crossing import LoopThread
    from agentbench.protocol import Event
    from agentbench.workbench.experiments.journal import Entry
    from agentbench.workbench.experiments.limits import Limits
    from agentbench.workbench.experiments.scoring import Scorer
    from agentbench.workbench.experiments.ways import Attempt

    Piece = list[Event] | Trial
    See = Callable[[int, Piece], None]

__all__ = ["Experiment"]


class Experiment:
    """The `attempts` in their order, and after `run` the trial of each. It runs once.

    `budget` gives the block in which it runs. `journal` is a file that keeps what has ended.
    """

    def __init__(
        self,
        attempts: Sequence[Attempt],
        loop: LoopThread,
        limits: Limits,
        *,
        scorers: Sequence[Scorer] = (),
        budget: Callable[[], AbstractContextManager[object]] = nullcontext,
        journal: str | Path | None = None,
    ) -> None:
        self.attempts = attempts
        self._done: dict[int, Trial] = {}
        self._known: dict[int, Trial] = {}
        self._loop = loop
        self._limits = limits
        self._scorers = scorers
        self._waiters = [each for each in scorers if each.waits]
        self._budget = budget
        self._path = journal
        self._journal: Journal | None = None

    @property
    def trials(self) -> list[Trial]:
        """A trial for each attempt, in their order; what wasn't asked was skipped."""
        told = "It was not asked: the experiment was interrupted."
        return [
            self._done.get(index) or self._known.get(index) or each.skipped(told, "interrupted")
            for index, each in enumerate(self.attempts)
        ]

    def live(self) -> Live:
        """Ask all, and return what to read from as it comes; scorers, budget and journal have no part in it."""
        return Live(self.attempts, self._loop, self._limits)

    def run(self, *, progress: bool = True, see: See | None = None) -> list[Trial]:
        """Ask all, and return a trial for each attempt, in their order.

        An interrupt ends it: what has ended by then is returned, the others are skipped. `see` is called here with the
        index of an attempt and its next events, and at its end with its trial.
        """
        try:
            with self._budget(), Progress(len(self.attempts), shown=progress and len(self.attempts) > 1) as bar:
                self._run(bar, see)
        except KeyboardInterrupt:
            warnings.warn(f"Interrupted: {len(self._done)} of {len(self.attempts)} trials are done.", stacklevel=3)
        finally:
            if self._journal is not None:
                self._journal.close()
        return self.trials

    def _run(self, bar: Progress, see: See | None) -> None:
        known = self._known = self._recalled()
        for index, attempt in enumerate(self.attempts):
            if attempt.missing:
                self._end(index, attempt.skipped(attempt.missing, "missing_value"), bar, see, is_new=False)
            elif index in known and all(each.has_scored(known[index]) for each in self._waiters):
                self._end(index, known[index], bar, see, is_new=False)
        if left := {index: each for index, each in enumerate(self.attempts) if index not in self._done}:
            self._ask(Engine(left, self._limits, self._waiters, known=known, watched=see is not None), bar, see)

    def _ask(self, engine: Engine, bar: Progress, see: See | None) -> None:
        crossing: Crossing[tuple[int, Piece]] = Crossing(self._loop, engine.work)
        try:
            self._read(crossing, bar, see)
        except KeyboardInterrupt:
            crossing.call(engine.stop)
            self._read(crossing, bar, see)  # answers end as they are; a second interrupt ends this too
            raise
        finally:
            crossing.close()
            for index in engine.made.keys() - self._done.keys():  # they ended, and nobody has read of it
                self._keep(index, engine.made[index])

    def _read(self, crossing: Crossing[tuple[int, Piece]], bar: Progress, see: See | None) -> None:
        while (came := crossing.get()) is not None:
            index, piece = came
            if isinstance(piece, Trial):
                self._end(index, piece, bar, see)
            elif see is not None:
                see(index, piece)

    def _end(self, index: int, trial: Trial, bar: Progress, see: See | None, *, is_new: bool = True) -> None:
        try:
            for scorer in self._scorers:
                trial = scorer.moved_last(trial) if scorer.waits else scorer.score_here(trial, self._wait)
        finally:
            self._keep(index, trial, is_new=is_new)
        bar.note(trial)
        if see is not None:
            see(index, trial)

    def _keep(self, index: int, trial: Trial, *, is_new: bool = True) -> None:
        self._done[index] = trial
        if self._journal is not None and is_new:
            self._journal.add(index, trial, {each.name: each.mark for each in self._waiters if each.has_scored(trial)})

    def _recalled(self) -> dict[int, Trial]:
        """Return the trials that the journal has, with the scores that still hold."""
        if self._path is None:
            return {}
        digests = {way: way.digest() for way in {each.way for each in self.attempts}}
        self._journal = Journal(self._path, [each.key(digests[each.way]) for each in self.attempts])
        return {index: self._with_own(index, entry) for index, entry in self._journal.found.items()}

    def _with_own(self, index: int, entry: Entry) -> Trial:
        """Return a trial as this experiment counts it; plain functions score it anew, the others where they must."""
        scored = [each for each in self._waiters if entry.marks.get(each.name) == each.mark]
        scores = {
            name: score
            for name, score in entry.trial.scores.items()
            if score is not None and any(each.made(name) for each in scored)
        }
        notes = {name: note for name, note in entry.trial.notes.items() if name in scores}
        attempt = self.attempts[index]
        own: dict[str, Any] = attempt.known | {"scores": scores, "notes": notes}
        return msgspec.structs.replace(entry.trial, **own)

    def _wait(self, result: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await result

        return self._loop.portal.call(wait)
