"""Scorers: functions that say how good an answer is. What a function raises becomes a note, and no score."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.errors import AgentbenchError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol.trial import Trial

__all__ = ["Given", "Scorer", "Verdict", "named_scorers", "scorer_of", "with_score", "without_score"]

Given = Callable[..., Any] | Any
"""A function of the answer, or of the answer and its trial; or a judge."""

_NO_WORD = re.compile(r"\W+")


class Verdict(NamedTuple):
    """A score and why."""

    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Scorer:
    """One that scores trials. `waits` is one to await; `mark` tells it from others of its name."""

    name: str
    call: Callable[[Trial], Any]
    waits: bool = False
    mark: str = ""

    def has_scored(self, trial: Trial) -> bool:
        """Tell whether the trial has its score."""
        return any(self.made(name) for name in trial.scores)

    def made(self, name: str) -> bool:
        """Tell whether a score of that name is its own: a dict's have theirs behind a dot."""
        return name == self.name or name.startswith(f"{self.name}.")

    def moved_last(self, trial: Trial) -> Trial:
        """Return the trial with its scores as the last, so that all come in the order of their scorers."""
        own = {name: score for name, score in trial.scores.items() if self.made(name)}
        others = {name: score for name, score in trial.scores.items() if name not in own}
        return msgspec.structs.replace(trial, scores=others | own)

    async def score(self, trial: Trial) -> Trial:
        """Return the trial with its score, from one to await."""
        if not _is_answered(trial):
            return without_score(trial, self.name)
        try:
            return with_score(trial, self.name, await self.call(trial))
        except Exception as error:  # noqa: BLE001 - anything may be wrong with a scorer; the row says so
            return without_score(trial, self.name, error)

    def score_here(self, trial: Trial, wait: Callable[[Awaitable[Any]], Any]) -> Trial:
        """Return the trial with its score, from a plain function; `wait` waits for what it may return."""
        if not _is_answered(trial):
            return without_score(trial, self.name)
        try:
            result = self.call(trial)
            return with_score(trial, self.name, wait(result) if inspect.isawaitable(result) else result)
        except Exception as error:  # noqa: BLE001 - as above
            return without_score(trial, self.name, error)


def named_scorers(given: Given | Sequence[Given] | Mapping[str, Given]) -> list[tuple[str, Given]]:
    """Return functions and judges with their names: those that a mapping gives, else their own.

    Raises `InvalidRequest` for two of a name.
    """
    if isinstance(given, Mapping):
        named = [(str(name), each) for name, each in given.items()]
    else:
        several = list(given) if isinstance(given, list | tuple) else [given]
        named = [(_name(each), each) for each in several]
    names = [name for name, _ in named]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidRequest(f"Two scorers are called {twice!r}. Name them: scorers={{'one': …}}.", param="scorers")
    return named


def scorer_of(name: str, function: Any) -> Scorer:
    """Return a function as a scorer; raise `InvalidRequest` if it is none."""
    if not callable(function):
        raise InvalidRequest(f"{function!r} is no scorer. Give a function of the answer.", param="scorers")
    takes_trial = _takes_two(function)

    def call(trial: Trial) -> Any:
        return function(trial.answer, trial) if takes_trial else function(trial.answer)

    waits = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - an object whose call is async
    return Scorer(name, call, waits)


def with_score(trial: Trial, name: str, result: Any) -> Trial:
    """Return the trial with a result under a name; a dict's are under the name and theirs. Raises `TypeError`."""
    if isinstance(result, Mapping):
        for key, value in result.items():
            trial = with_score(trial, f"{name}.{key}", value)
        return trial
    if isinstance(result, Verdict):
        trial = msgspec.structs.replace(trial, notes=trial.notes | {name: result.reason})
        result = result.score
    return msgspec.structs.replace(trial, scores=trial.scores | {name: _number(result)})


def without_score(trial: Trial, name: str, error: Exception | None = None) -> Trial:
    """Return the trial with no score under a name, and a note of the error, if there was one."""
    notes = trial.notes
    if error is not None:
        told = error.message if isinstance(error, AgentbenchError) else f"{type(error).__name__}: {error}"
        notes = notes | {name: told}
    return msgspec.structs.replace(trial, scores=trial.scores | {name: None}, notes=notes)


def _is_answered(trial: Trial) -> bool:
    return trial.answer is not None and trial.status != "failed" and trial.error_type != "interrupted"


def _number(result: Any) -> float | None:
    if result is None:
        return None
    if isinstance(result, str) or not hasattr(result, "__float__"):
        raise TypeError(f"a scorer returns a number, True or False, or a dict of them, not {type(result).__name__}")
    number = float(result)
    return None if math.isnan(number) else number


def _name(function: Any) -> str:
    name = getattr(function, "__name__", None) or getattr(function, "name", None) or type(function).__name__
    return _NO_WORD.sub("", str(name)) or "score"


def _takes_two(function: Any) -> bool:
    """Tell whether a function needs, or can take, the trial beside the answer."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # built in, without one
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [each for each in signature.parameters.values() if each.kind in kinds]
    needed = [each for each in places if each.default is inspect.Parameter.empty]
    is_named = len(places) > 1 and places[1].name in ("trial", "row")
    return len(needed) > 1 or is_named
