"""A bar that tells how far an experiment is, how much failed and what it cost."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from agentbench.runner.budget import dollars

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from agentbench.protocol.trial import Trial

__all__ = ["Progress"]


class Progress:
    """A bar for `total` trials, in a notebook a widget, else on stderr; nothing where it isn't `shown`."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._failed = 0
        self._cost = 0.0
        self._bar = None
        if shown:
            with warnings.catch_warnings(action="ignore"):  # about widgets that aren't there: it is text then
                from tqdm.auto import tqdm

                self._bar = tqdm(total=total, unit="trial", leave=False)

    def note(self, trial: Trial) -> None:
        """Count a trial that has ended."""
        self._failed += trial.status in ("failed", "skipped")
        self._cost += trial.cost or 0.0
        if self._bar is not None:
            told = [f"{self._failed} failed"] if self._failed else []
            told += [dollars(self._cost)] if self._cost else []
            self._bar.set_postfix_str(", ".join(told), refresh=False)
            self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
