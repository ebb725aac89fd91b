"""What a comparison leaves behind: every answer, for the next cell to look at, count and choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.notebook.comparing.record import record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from agentbench.protocol.trial import Trial

__all__ = ["Comparison"]


class Comparison:
    """The trials of a comparison, in the order of the prompts; `names` says of each who was asked.

    A cell that ends in it shows it again. What failed, or was never asked, is a trial too.
    """

    def __init__(self, trials: Sequence[Trial], names: Sequence[str]) -> None:
        self.trials = tuple(trials)
        self.names = tuple(names)

    def frame(self) -> pd.DataFrame:
        """Return the trials as a DataFrame, one a row."""
        from agentbench.frames.trials import trials_frame

        return trials_frame(self.trials)

    def best(self, score: Callable[[str], float]) -> Trial:
        """Return the trial whose answer has the highest score; the first of them, if there are several.

        Raises `InvalidRequest` if nobody answered.
        """
        answered = [(trial, trial.answer) for trial in self.trials if trial.status == "completed" and trial.answer]
        if not answered:
            raise InvalidRequest("Nobody answered, so none is the best.")
        return max(answered, key=lambda each: score(each[1]))[0]

    def __getitem__(self, name: str) -> Trial | list[Trial]:
        """Return an answerer's trial, a list if there are several, by its name in the table, its agent's or model's.

        Raises `UnknownName` if nobody of that name was asked.
        """
        by_name = [trial for trial, who in zip(self.trials, self.names, strict=True) if who == name]
        found = by_name or [trial for trial in self.trials if name in (trial.agent, trial.model)]
        if not found:
            raise UnknownName("answerer", name, self.names)
        return found[0] if len(found) == 1 else found

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.trials)

    def __repr__(self) -> str:
        return record_of(self.trials, self.names).plain

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002 - IPython's shape
        return record_of(self.trials, self.names).bundle()
