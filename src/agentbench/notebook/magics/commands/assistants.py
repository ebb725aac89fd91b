"""`%agent assistants`: assistants, listed, made, changed and deleted."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agentbench.errors import AgentbenchError, InvalidRequest, PermissionDenied, nearest
from agentbench.notebook.magics.interpolate import interpolate
from agentbench.notebook.magics.options import Option, first_word, parse
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.magics.options import Completes
    from agentbench.notebook.session import Session
    from agentbench.notebook.widgets.builder import AssistantForm
    from agentbench.workbench import Workbench
    from agentbench.workbench.assistant import AssistantHandle

    Action = Callable[[Call, str], pd.DataFrame | Table | AssistantHandle | AssistantForm]

__all__ = ["Assistants"]

_ASSISTANT: tuple[Completes, ...] = ("assistants",)
_BUILDING: Mapping[str, tuple[Completes, ...]] = {
    "new": (),
    "edit": _ASSISTANT,
    "delete": _ASSISTANT,
    "form": _ASSISTANT,
}
"""What `disableBuilder` forbids, each with what it takes."""


class Assistants:
    """List, make, change and delete assistants; without `builds`, only list and show them."""

    name = "assistants"

    def __init__(self, *, builds: bool = True) -> None:
        self._builds = builds

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        if not self._builds:
            return "List the assistants that you may use as a DataFrame, or show one."
        return (
            "List the assistants that you may use as a DataFrame; show, make, change or delete one, or open a form for"
            " it. A cell's text is the instructions."
        )

    @property
    def argument(self) -> str:
        """The placeholder of what follows."""
        return "[show NAME | new NAME | edit NAME | delete NAME | form [NAME]]" if self._builds else "[show NAME]"

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of `new` and `edit`, which may stand after the name too."""
        if not self._builds:
            return ()
        return (
            Option(
                ("-m", "--model"),
                "who answers: an agent, endpoint/model, or a name from before",
                "MODEL",
                completes="models",
            ),
            Option(
                ("--tools",),
                "code_interpreter, file_search, and functions by variable name; several with commas",
                "TOOLS",
                completes="tools",
            ),
            Option(
                ("-f", "--files"), "what it searches: paths, patterns, folders, addresses; several with commas", "FILES"
            ),
            Option(("--instructions",), "what it is told before each conversation", "TEXT"),
            Option(("-t", "--temperature"), "0 is sober, 2 is wild", "NUMBER", float),
            Option(("--raw",), "take {{braces}} as they are, without putting values in"),
        )

    @property
    def actions(self) -> Mapping[str, tuple[Completes, ...]]:
        """The words that it takes first, and what follows them."""
        return {"show": _ASSISTANT, **(_BUILDING if self._builds else {})}

    def permitted(self, session: Session) -> Assistants:
        """Return it without what `disableBuilder` forbids."""
        with suppress(AgentbenchError):  # a config that can't be read doesn't keep anybody from reading about commands
            return Assistants(builds=not session.bench.catalog.assistants.disable_builder)
        return self

    async def run(self, call: Call) -> pd.DataFrame | Table | AssistantHandle | AssistantForm:
        """Return the assistants, or the one that was named, as it is after the change."""
        action, _, rest = call.text.strip().partition(" ")
        body = (call.body or "").strip()
        if body and action not in ("new", "edit"):
            raise InvalidRequest("Only %%agent assistants new and edit take a text below them: the instructions.")
        if not action:
            return call.session.bench.assistants()
        here = self.permitted(call.session)
        if action not in here.actions:
            raise _refusal(action, here)
        name, options = _read(call, action, rest)
        if body:
            options["instructions"] = body if "raw" in options else interpolate(body, call.namespace)
        return _ACTIONS[action](call._replace(options=options), name)


def _refusal(action: str, here: Assistants) -> PermissionDenied | InvalidRequest:
    if action in _BUILDING:
        return PermissionDenied(
            f"%agent assistants {action} isn't there: endpoints.assistants.disableBuilder is on in the config."
        )
    hint = f" Did you mean {close}?" if (close := nearest(action, here.actions)) else ""
    return InvalidRequest(f"There is no %agent assistants {action}.{hint} Known: {', '.join(here.actions)}.")


def _read(call: Call, action: str, rest: str) -> tuple[str, dict[str, Any]]:
    """Return the name, and the options before and behind it."""
    known = Assistants().options
    before, rest = parse(rest, known)
    name, rest = first_word(rest)
    behind, left = parse(rest, known)
    options = call.options | before | behind
    if not name and action != "form":
        raise InvalidRequest(f"%agent assistants {action} needs a name or an id after it.")
    if left:
        raise InvalidRequest(f"What is {left!r}? Write a name with blanks in quotes: '{name} {left.split(' -')[0]}'.")
    if options and action not in ("new", "edit"):
        raise InvalidRequest(f"%agent assistants {action} takes no options.")
    raw = "raw" in options
    texts = {key: interpolate(each, call.namespace) for key, each in options.items() if isinstance(each, str)}
    return (name if raw else interpolate(name, call.namespace)), options | ({} if raw else texts)


def _show(call: Call, name: str) -> Table:
    bench = call.session.bench
    found = bench.find_assistant(name)
    assistant = found.assistant
    facts = {
        "id": found.id,
        "description": assistant.description,
        "model": assistant.model,
        "answered by": _answering(bench, found.id),
        "instructions": assistant.instructions,
        "tools": ", ".join(found.tools),
        "files": ", ".join(found.file_names()),
        "temperature": assistant.temperature,
        "metadata": ", ".join(f"{key}: {value}" for key, value in assistant.metadata.items()),
        "created": f"{datetime.fromtimestamp(assistant.created_at).astimezone():%Y-%m-%d %H:%M}",
    }
    return Table(("assistant", found.name), [(key, value) for key, value in facts.items() if value not in (None, "")])


def _answering(bench: Workbench, assistant_id: str) -> str:
    """Return the endpoint and the model that stand behind it, or why there are none."""
    try:
        return bench.find_target(assistant_id).name
    except InvalidRequest as error:
        return error.message


def _new(call: Call, name: str) -> AssistantHandle:
    return call.session.bench.assistant(name, **_wanted(call))


def _edit(call: Call, name: str) -> AssistantHandle:
    bench = call.session.bench
    wanted = _wanted(call)
    if not wanted:
        raise InvalidRequest("Say what to change, such as --model or --tools: %agent help assistants")
    return bench.assistant(bench.find_assistant(name).id, **wanted)


def _delete(call: Call, name: str) -> pd.DataFrame:
    bench, magics = call.session.bench, call.magics
    found = bench.find_assistant(name)
    found.delete()
    if magics.agent in (found.id, found.name):  # else nobody would answer from now on
        magics.agent = ""
    return bench.assistants()


def _form(call: Call, name: str) -> AssistantForm:
    return call.session.bench.assistant_form(name or None)


def _wanted(call: Call) -> dict[str, Any]:
    wanted = {key: value for key, value in call.options.items() if key != "raw"}
    if "tools" in wanted:
        wanted["tools"] = [_tool(call, each) for each in _listed(wanted["tools"])]
    if "files" in wanted:
        wanted["files"] = _listed(wanted["files"])
    return wanted


def _tool(call: Call, name: str) -> Any:
    """Return a variable's function; else the name of another tool."""
    variable = call.namespace.get(name)
    return variable if callable(variable) else name


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


_ACTIONS: dict[str, Action] = {"show": _show, "new": _new, "edit": _edit, "delete": _delete, "form": _form}
