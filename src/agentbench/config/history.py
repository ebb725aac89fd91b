"""What was applied and saved, to be taken back and done again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import UNSET

from agentbench.config.changes import Edit
from agentbench.config.form import text_of
from agentbench.config.masking import masked
from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.config.config import Config

__all__ = ["History", "names"]


@dataclass(frozen=True, slots=True, repr=False)
class _Side:
    """How things stood before or after a step: the keys of the session that it touched, and the file."""

    session: tuple[Edit, ...]
    file: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class _Step:
    label: str
    told: str
    before: _Side
    after: _Side


class History:
    """The steps of one draft, the newest last."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @property
    def undoes(self) -> str:
        """What `undo` would take back; empty for nothing."""
        return self._done[-1].label if self._done else ""

    @property
    def redoes(self) -> str:
        """What `redo` would do again; empty for nothing."""
        return self._undone[-1].label if self._undone else ""

    @property
    def applied(self) -> tuple[str, ...]:
        """What has been done and not taken back, the oldest first: each key and its value, secrets masked."""
        return tuple(step.told for step in self._done)

    def apply(self, edits: list[Edit]) -> None:
        """Change the session."""
        before = self._side(edits)
        self._config.change(session=edits)
        after = self._side(edits)
        self._did(_Step(f"apply of {names(edits)}", f"Applied {_told(edits)}", before, after))

    def save(self, session: list[Edit], edits: list[Edit]) -> None:
        """Change the session and the file."""
        touched = list({(each.block, each.path): each for each in (*session, *edits)}.values())
        before = self._side(touched, with_file=bool(edits))
        self._config.change(session=session, file=edits)
        after, told = self._side(touched, with_file=bool(edits)), edits or session
        self._did(_Step(f"save of {names(told)}", f"{'Saved' if edits else 'Applied'} {_told(told)}", before, after))

    def undo(self) -> str:
        """Take back the newest step and say which; raises `InvalidRequest` if the file has changed since."""
        if not self._done:
            raise InvalidRequest("There is nothing to undo.")
        step = self._done[-1]
        self._config.restore(step.before.session, now=step.after.file, then=step.before.file)
        self._undone.append(self._done.pop())
        return f"Undone: {step.label}."

    def redo(self) -> str:
        """Do the step again that was undone last."""
        if not self._undone:
            raise InvalidRequest("There is nothing to redo.")
        step = self._undone[-1]
        self._config.restore(step.after.session, now=step.before.file, then=step.after.file)
        self._done.append(self._undone.pop())
        return f"Done again: {step.label}."

    def _did(self, step: _Step) -> None:
        self._done.append(step)
        self._undone.clear()

    def _side(self, edits: Iterable[Edit], *, with_file: bool = False) -> _Side:
        session = self._config.session
        said = tuple(Edit(each.block, each.path, session.get(each.block, {}).get(each.path, UNSET)) for each in edits)
        return _Side(said, self._bytes() if with_file else None)

    def _bytes(self) -> bytes | None:
        """Return the file; None if it can't be read, which saving will say in its own words."""
        try:
            return self._config.file.expanduser().read_bytes() if self._config.file is not None else None
        except OSError:
            return None


def names(edits: Iterable[Edit]) -> str:
    """Return the keys that edits are about."""
    return ", ".join(".".join((each.block, *each.path)) for each in edits)


def _told(edits: Iterable[Edit]) -> str:
    return ", ".join(
        f"{names([each])}: {'unset' if each.value is UNSET else text_of(masked(each.value, each.path))}"
        for each in edits
    )
