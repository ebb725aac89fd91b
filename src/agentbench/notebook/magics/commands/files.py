"""`%agent files`: the files that answers may rest on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, nearest
from agentbench.notebook.magics.interpolate import interpolate
from agentbench.notebook.magics.options import Option

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from agentbench.notebook.magics.commands.base import Call
    from agentbench.workbench import Workbench

__all__ = ["Files", "words_of"]


class Files:
    """List, add and delete files."""

    name = "files"
    summary = "List your files as a DataFrame; add some, process again one that failed, or delete one."
    argument = "[add SOURCES… | retry FILE | delete FILE]"
    options = (Option(("--failed",), "only those that could not be processed"),)

    async def run(self, call: Call) -> pd.DataFrame:
        """Return the files as they are after the change, or those that were added."""
        bench, (action, *rest) = call.session.bench, words_of(interpolate(call.text, call.namespace)) or [""]
        if action and action not in _ACTIONS:
            hint = f" Did you mean {close}?" if (close := nearest(action, _ACTIONS)) else ""
            raise InvalidRequest(f"There is no %agent files {action}.{hint} Write {self.argument.strip('[]')}.")
        if action and not rest:
            raise InvalidRequest(f"%agent files {action} needs a name after it.")
        return _ACTIONS[action](bench, rest) if action else bench.files(failed=bool(call.options.get("failed")))


def words_of(text: str) -> list[str]:
    """Return the words of a line; quotes keep blanks together."""
    try:
        return shlex.split(text)
    except ValueError:
        raise InvalidRequest("A quote isn't closed. Write names with blanks as 'my paper.pdf'.") from None


def _add(bench: Workbench, sources: list[str]) -> pd.DataFrame:
    return bench.add_files(*sources)


def _retry(bench: Workbench, names: list[str]) -> pd.DataFrame:
    for name in names:
        bench.retry_file(name)
    return bench.files()


def _delete(bench: Workbench, names: list[str]) -> pd.DataFrame:
    for name in names:
        bench.delete_file(name)
    return bench.files()


_ACTIONS: dict[str, Callable[[Workbench, list[str]], pd.DataFrame]] = {
    "add": _add,
    "retry": _retry,
    "delete": _delete,
}
