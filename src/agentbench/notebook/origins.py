"""Where code comes from, as a traceback names it: a cell, the person's own file, or somebody else's package."""

from __future__ import annotations

import linecache
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import agentbench

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["CellSource", "Origin", "Origins"]

_PACKAGES = ("site-packages", "dist-packages")
_STANDARD = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
_OURS = Path(agentbench.__file__).parent.parent


class Origin(NamedTuple):
    """A file of code by a name that tells nothing of the machine; `package` is empty for the person's own code."""

    label: str
    package: str = ""


class CellSource(NamedTuple):
    """A cell that ran: as it was written, and as it was run, its magics as calls."""

    label: str
    source: str
    ran: str

    def line(self, number: int) -> str:
        """Return a line as it was written, where that is as many lines as what was run."""
        lines = self.source.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) == len(self.ran.splitlines()) else ""


class Origins:
    """The cells that a shell ran, and all other code."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._numbers: Mapping[str, int] = getattr(shell.compile, "_filename_map", {})
        history = shell.history_manager
        self._written: Sequence[str] = () if history is None else history.input_hist_raw
        self._ran: Sequence[str] = () if history is None else history.input_hist_parsed

    def cell(self, name: str | None) -> CellSource | None:
        """Return the cell whose code has that name in tracebacks, as it was written; None if it is no cell's."""
        if name is None or name not in self._numbers:
            return None
        number, ran = self._numbers[name], "".join(linecache.getlines(name)).rstrip("\n")
        is_known = number < len(self._ran) and self._ran[number] == ran  # a cell that left no history has no number
        return CellSource(f"Cell In[{number}]", self._written[number] if is_known else ran, ran)

    def of(self, name: str) -> Origin:
        """Return where the code of that name in a traceback comes from."""
        if (cell := self.cell(name)) is not None:
            return Origin(cell.label)
        if name.startswith("<"):
            return Origin(name, "importlib" if "importlib" in name else "")
        inside = _inside_package(Path(name))
        if inside is not None:
            return Origin(inside.as_posix(), inside.parts[0].removesuffix(".py"))
        here = Path.cwd()
        return Origin(Path(name).relative_to(here).as_posix() if here in Path(name).parents else Path(name).name)


def _inside_package(path: Path) -> Path | None:
    """Return the path of somebody else's code below where it is installed; None for other code."""
    for at in reversed(range(len(path.parts) - 1)):
        if path.parts[at] in _PACKAGES:
            return Path(*path.parts[at + 1 :])
    if not path.is_absolute():  # as compiled packages name their sources
        return path if len(path.parts) > 1 else None
    return next((path.relative_to(place) for place in (*_STANDARD, _OURS) if place in path.parents), None)
