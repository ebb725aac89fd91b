"""What `%agent compare` is to ask, read from its options: whom, what, and how."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.notebook.magics.interpolate import interpolate, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.notebook.magics.commands.base import Call
    from agentbench.workbench.experiments.candidates import Candidate

__all__ = ["prompts_of_call", "settings_of", "who_is_asked"]


def who_is_asked(call: Call) -> list[Candidate]:
    """Return whom the options name, each at every temperature; without a name, who would answer in a chat."""
    from agentbench.workbench.experiments.candidates import answerers_of

    bench = call.session.bench
    agents, models = call.options.get("agents", []), call.options.get("models", [])
    own = {} if call.agent == bench.catalog.default_agent.id else {"agent": call.agent}
    named = [dict(each.options) for each in answerers_of(bench, agents)] if agents else []
    named += [own | {"model": model} for model in models]
    if not named:
        named = [{"agent": call.agent} | ({} if call.model is None else {"model": call.model})]
    temperatures = call.options.get("temperature", [])
    if len(temperatures) > 1:
        named = [one | {"temperature": each} for one in named for each in temperatures]
    return answerers_of(bench, named)


def settings_of(call: Call) -> dict[str, Any]:
    """Return what all are asked with."""
    magics, given = call.magics, call.options
    temperatures = given.get("temperature", [magics.temperature])
    found: dict[str, Any] = {
        "temperature": temperatures[0] if len(temperatures) == 1 else None,
        "max_output_tokens": given.get("max_output_tokens", magics.max_output_tokens),
        "instructions": given.get("system"),
        "cell": call.cell,
        "files": given.get("files"),
    }
    if (name := given.get("json")) is not None:
        found["schema"] = lookup(name, call.namespace, option="--json")
    if given.get("continue") and call.session.conversation is not None:
        found["past"] = call.session.bench.turns(call.session.conversation)
    if (to := given.get("to")) is not None and (not to.isidentifier() or iskeyword(to)):
        raise InvalidRequest(f"--to {to}: that can't be a variable's name.")
    return {name: value for name, value in found.items() if value is not None}


def prompts_of_call(call: Call) -> tuple[Any, Any]:
    """Return the prompt or prompts, and the table whose rows they are made for, if there is one."""
    text = "\n".join(part for part in (call.text, (call.body or "").strip("\n")) if part)
    if (over := call.options.get("over")) is not None:
        return _over(over, text, call.namespace)
    if not text.strip():
        raise InvalidRequest("The prompt is empty. Write it after the options, or in the body of %%agent compare.")
    return (text if call.options.get("raw") else interpolate(text, call.namespace)), None


def _over(named: str, text: str, namespace: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return a template and its table, or, where there is no text, the prompts themselves."""
    name, _, column = named.partition(".")
    table = lookup(name, namespace, option="--over")
    is_frame = hasattr(table, "columns")
    if column and not (is_frame and column in table.columns):
        raise UnknownName("column", column, list(map(str, table.columns)) if is_frame else [])
    if isinstance(table, str) or not hasattr(table, "__iter__"):
        raise InvalidRequest(f"--over {named}: that is one value. Name a DataFrame, a column of one, or a list.")
    if text.strip():
        return text, _as_table(table, name)
    if is_frame and not column:
        raise InvalidRequest(f"Write the prompt below, with {{{{column}}}} in it, or name a column: --over {name}.text")
    return (table[column] if column else table), None


def _as_table(table: Any, name: str) -> Any:
    if hasattr(table, "iloc"):
        return table
    import pandas as pd

    return pd.Series(list(table), name=name)
