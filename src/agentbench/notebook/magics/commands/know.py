"""`%agent know`: collections of files, filled and searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, nearest
from agentbench.notebook.magics.commands.files import words_of
from agentbench.notebook.magics.interpolate import interpolate
from agentbench.notebook.magics.options import Option, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from agentbench.notebook.magics.commands.base import Call

__all__ = ["Know"]


class Know:
    """List, fill and search collections."""

    name = "know"
    summary = "List your collections as a DataFrame; fill one, show its files, search it, or delete it."
    argument = "[show NAME | add NAME SOURCES… | search NAME QUERY | remove NAME FILES… | reindex NAME | delete NAME]"
    options = (
        Option(("-k", "--top-k"), "with search: how many passages; without it 5", "COUNT", int),
        Option(("--ranking",), "with search: fused, vectors or text", "RANKING"),
    )

    async def run(self, call: Call) -> pd.DataFrame:
        """Return the collections, a collection's files, or the passages that were found."""
        action, _, rest = call.text.strip().partition(" ")
        if not action:
            return call.session.bench.collections()
        if action not in _ACTIONS:
            hint = f" Did you mean {close}?" if (close := nearest(action, _ACTIONS)) else ""
            raise InvalidRequest(f"There is no %agent know {action}.{hint} Known: {', '.join(_ACTIONS)}.")
        options, rest = parse(interpolate(rest, call.namespace), self.options)
        call = call._replace(options=call.options | options)
        name, *words = words_of(rest) or [""]
        if not name:
            raise InvalidRequest(f"%agent know {action} needs a collection's name after it.")
        return _ACTIONS[action](call, name, words)


def _show(call: Call, name: str, _: list[str]) -> pd.DataFrame:
    return call.session.bench.collection(name).files()


def _add(call: Call, name: str, sources: list[str]) -> pd.DataFrame:
    if not sources:
        raise InvalidRequest(f"Say what to add: %agent know add {name} *.pdf")
    return call.session.bench.collection(name).add(*sources).files()


def _search(call: Call, name: str, words: list[str]) -> pd.DataFrame:
    ranking = call.options.get("ranking", "fused")
    if ranking not in ("fused", "vectors", "text"):
        raise InvalidRequest(f"--ranking {ranking}: write fused, vectors or text.", param="ranking")
    return call.session.bench.collection(name).search(
        " ".join(words), top_k=call.options.get("top_k", 5), ranking=ranking
    )


def _remove(call: Call, name: str, files: list[str]) -> pd.DataFrame:
    return call.session.bench.collection(name).remove(*files).files()


def _reindex(call: Call, name: str, _: list[str]) -> pd.DataFrame:
    return call.session.bench.collection(name).reindex().files()


def _delete(call: Call, name: str, _: list[str]) -> pd.DataFrame:
    call.session.bench.collection(name).delete()
    return call.session.bench.collections()


_ACTIONS: dict[str, Callable[[Call, str, list[str]], pd.DataFrame]] = {
    "show": _show,
    "add": _add,
    "search": _search,
    "remove": _remove,
    "reindex": _reindex,
    "delete": _delete,
}
