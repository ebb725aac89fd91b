"""Tab after `%agent`: sub-commands, options, and the values that an option or command takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult

from agentbench.errors import AgentbenchError
from agentbench.notebook.magics.commands.assistants import Assistants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from IPython.core.completer import CompletionContext

    from agentbench.notebook.magics.commands.base import Command
    from agentbench.notebook.magics.options import Completes
    from agentbench.workbench import Workbench

__all__ = ["complete", "known_names"]

_ARGUMENTS: Mapping[str, tuple[Completes, ...]] = {
    "use": ("answerers", "models"),
    "history": ("conversations",),
    "open": ("conversations",),
    "tree": ("conversations",),
    "delete": ("conversations",),
    "prices": ("models",),
}
_ACTIONS: Mapping[str, Mapping[str, tuple[Completes, ...]]] = {
    "files": dict.fromkeys(("add", "retry", "delete"), ()),
    "cassette": {"record": ("cassettes",), "replay": ("cassettes",), "auto": ("cassettes",), "off": ()},
    "know": dict.fromkeys(("show", "add", "search", "remove", "reindex", "delete"), ("collections",)),
}
"""The words that some commands take first, and what follows them."""


def complete(
    context: CompletionContext,
    commands: Mapping[str, Command],
    known: Callable[[Completes], Iterable[str]],
    permitted: Callable[[Command], Command],
) -> SimpleMatcherResult:
    """Return the completions at the cursor; none outside a line that begins with `%agent` or `%%agent`."""
    left = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
    words = left.split()
    if not words or words[0] not in ("%agent", "%%agent") or (len(words) == 1 and not left.endswith(" ")):
        return SimpleMatcherResult(completions=[])
    typed = "" if left.endswith(" ") else words.pop()
    try:
        candidates = _candidates(words[1:], typed, commands, known, permitted)
    except AgentbenchError:
        candidates = []
    found = [SimpleCompletion(text=each, type="magic") for each in candidates if _begins(each, typed)]
    return SimpleMatcherResult(completions=found, matched_fragment=typed, suppress=bool(found))


def _begins(candidate: str, typed: str) -> bool:
    """Return whether a candidate begins so, with or without the quote that it has."""
    return candidate.startswith(typed) or candidate.lstrip("'\"").startswith(typed)


def known_names(bench: Workbench, what: Completes, variables: Iterable[str]) -> Iterable[str]:
    """Return what there is of a kind on a workbench, as it is typed."""
    from agentbench.runner.target import model_names

    agents = list(bench.catalog.agents)
    if what in ("assistants", "answerers"):
        return [*(agents if what == "answerers" else ()), *_assistants(bench)]
    if what == "tools":
        return [*bench.tool_names(), *variables]
    if what == "conversations":
        return [each.id for each in bench.conversations()]
    if what == "collections":
        return bench.collection_names()
    if what == "cassettes":
        return [
            _typed(path.as_posix()) for pattern in ("*.jsonl", "*/*.jsonl") for path in sorted(Path().glob(pattern))
        ]
    return agents if what == "agents" else model_names(bench.catalog)


def _assistants(bench: Workbench) -> list[str]:
    """Return ids and names; those with blanks in quotes."""
    found = bench.assistant_names()
    return [*found, *(name if name.isalnum() else repr(name) for name in found.values() if name)]


def _typed(path: str) -> str:
    return repr(path) if " " in path else path


def _candidates(
    words: list[str],
    typed: str,
    commands: Mapping[str, Command],
    known: Callable[[Completes], Iterable[str]],
    permitted: Callable[[Command], Command],
) -> Iterable[str]:
    if not words:
        return [*commands, *(_option_names(commands["chat"]) if typed.startswith("-") else ())]
    command = permitted(commands.get(words[0], commands["chat"]))
    for option in command.options:
        if words[-1] in option.names and option.value is not None:
            return known(option.completes) if option.completes else ()
    if typed.startswith("-"):
        return _option_names(command)
    actions = command.actions if isinstance(command, Assistants) else _ACTIONS.get(command.name)
    if actions is not None:
        return _after_action(words[1:], actions, known)
    return _argument(command.name, commands, known) if len(words) == 1 else []


def _argument(name: str, commands: Mapping[str, Command], known: Callable[[Completes], Iterable[str]]) -> Iterable[str]:
    if name == "help":
        return commands
    return [each for kind in _ARGUMENTS.get(name, ()) for each in known(kind)]


def _after_action(
    words: list[str], actions: Mapping[str, tuple[Completes, ...]], known: Callable[[Completes], Iterable[str]]
) -> Iterable[str]:
    if not words:
        return actions
    return [each for kind in actions.get(words[0], ()) for each in known(kind)] if len(words) == 1 else []


def _option_names(command: Command) -> list[str]:
    return [name for option in command.options for name in option.names if name.startswith("--")]
