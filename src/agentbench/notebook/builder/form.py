"""An assistant as a form has it: what is typed, as it is typed; and from there to what the Assistants API takes.

Numbers and JSON are text here, so that nothing that is half typed, or wrong, is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.requests import ChangeAssistant
from agentbench.protocol.assistants.tools import CodeInterpreter, FileSearch, FunctionSpec, FunctionTool
from agentbench.protocol.decode import convert
from agentbench.protocol.values import Value
from agentbench.runner.assistants.limits import type_of
from agentbench.runner.assistants.personas import unless_usual

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.protocol.assistants.tools import AssistantTool

__all__ = ["EMPTY", "Form", "field_of", "form_of", "given_by", "troubles"]


class Form(Value, frozen=True, kw_only=True):
    """What the controls hold. `functions` are the toolbox's, `others` a JSON list; `store` is a vector store's id."""

    name: str = ""
    description: str = ""
    model: str = ""
    instructions: str = ""
    temperature: str = ""
    top_p: str = ""
    file_search: bool = False
    code_interpreter: bool = False
    functions: tuple[str, ...] = ()
    others: str = ""
    store: str = ""
    metadata: tuple[tuple[str, str], ...] = ()


EMPTY = Form()

_CONTROLS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "description": ("description",),
    "model": ("model",),
    "instructions": ("instructions",),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "tools": ("file_search", "code_interpreter", "functions", "others"),
    "tool_resources": ("store",),
    "metadata": ("metadata",),
}
"""Which controls make up a value of the API."""


def form_of(assistant: Assistant, known: Mapping[str, FunctionSpec]) -> Form:
    """Return an assistant as a form; `known` are the toolbox's functions."""
    types = {type_of(each) for each in assistant.tools}
    specs = [each.function for each in assistant.tools if isinstance(each, FunctionTool)]
    others = [msgspec.to_builtins(each) for each in specs if each.name not in known]
    return Form(
        name=assistant.name or "",
        description=assistant.description or "",
        model=assistant.model,
        instructions=assistant.instructions or "",
        temperature=_number_text(assistant.temperature),
        top_p=_number_text(assistant.top_p),
        file_search="file_search" in types,
        code_interpreter="code_interpreter" in types,
        functions=tuple(each.name for each in specs if each.name in known),
        others=msgspec.json.format(msgspec.json.encode(others)).decode() if others else "",
        store=_store(assistant),
        metadata=tuple(assistant.metadata.items()),
    )


def given_by(
    form: Form, before: Form | None, assistant: Assistant | None, known: Mapping[str, FunctionSpec]
) -> dict[str, Any]:
    """Return what the API is given: all of it, or what differs from `before`.

    Raises `InvalidRequest`, whose `param` is a control.
    """
    names = [name for name in _CONTROLS if before is None or _differs(name, form, before)]
    return {name: _value(name, form, assistant, known) for name in names}


def troubles(form: Form, assistant: Assistant | None, known: Mapping[str, FunctionSpec]) -> dict[str, str]:
    """Return what is wrong with the controls, each with a sentence."""
    found = {}
    for name in _CONTROLS:
        try:
            if name != "model" or form.model:  # an empty one is told of when it is saved
                _value(name, form, assistant, known)
        except InvalidRequest as error:
            found[error.param or name] = error.message
    return found


def field_of(param: str | None, form: Form) -> str:
    """Return the control that an error of the API means; empty if it means none."""
    name = (param or "").partition("[")[0].partition(".")[0]
    if name == "tools" and param is not None:
        number = param.partition("[")[2].partition("]")[0]
        controls = [each for each in ("file_search", "code_interpreter") if getattr(form, each)]
        controls += ["functions"] * len(form.functions)
        return controls[int(number)] if number.isdigit() and int(number) < len(controls) else "others"
    controls = list(_CONTROLS.get(name, ()))
    return controls[0] if controls else ""


def _value(name: str, form: Form, assistant: Assistant | None, known: Mapping[str, FunctionSpec]) -> Any:
    if name == "tools":
        return _tools(form, assistant, known)
    value = _VALUES[name](form)
    convert({name: msgspec.to_builtins(value)}, ChangeAssistant)  # its limits
    return value


def _model(form: Form) -> str:
    if not form.model.strip():
        raise InvalidRequest("An assistant needs a model: an agent, an endpoint/model, or a name.", param="model")
    return form.model.strip()


def _number(text: str, most: int, name: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise InvalidRequest(f"{name} is a number from 0 to {most}.", param=name)
    return value


def _metadata(form: Form) -> dict[str, str]:
    pairs = [(key.strip(), value) for key, value in form.metadata if key.strip() or value.strip()]
    keys = [key for key, _ in pairs]
    if "" in keys:
        raise InvalidRequest(f"The value {dict(pairs)['']!r} has no key.", param="metadata")
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidRequest(f"Two values have the key {twice!r}. Rename one.", param="metadata")
    return dict(pairs)


def _resources(form: Form) -> dict[str, Any]:
    return {"file_search": {"vector_store_ids": [form.store] if form.store else []}}


def _tools(form: Form, assistant: Assistant | None, known: Mapping[str, FunctionSpec]) -> tuple[AssistantTool, ...]:
    """Return the tools; what the assistant has of them already stays as it is."""
    there = () if assistant is None else assistant.tools
    kinds = {type_of(each): each for each in there}
    specs = {each.function.name: each.function for each in there if isinstance(each, FunctionTool)}
    search = [kinds.get("file_search", FileSearch())] if form.file_search else []
    code = [CodeInterpreter()] if form.code_interpreter else []
    chosen = [spec for name in form.functions if (spec := specs.get(name) or known.get(name)) is not None]
    return (*search, *code, *(FunctionTool(function=each) for each in (*chosen, *_others(form))))


def _others(form: Form) -> tuple[FunctionSpec, ...]:
    """Return the functions that are written as JSON: specifications, bare or as tools."""
    if not form.others.strip():
        return ()
    try:
        raw = msgspec.json.decode(form.others)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest(f"This is not JSON: {error}.", param="others") from None
    several = raw if isinstance(raw, list) else [raw]
    bare = [each["function"] if isinstance(each, dict) and "function" in each else each for each in several]
    try:
        return convert(bare, tuple[FunctionSpec, ...], at="functions")
    except InvalidRequest as error:
        raise InvalidRequest(error.message, param="others") from None


_VALUES: Mapping[str, Callable[[Form], Any]] = {
    "name": lambda form: form.name.strip() or None,
    "description": lambda form: form.description.strip() or None,
    "model": _model,
    "instructions": lambda form: form.instructions if form.instructions.strip() else None,
    "temperature": lambda form: _number(form.temperature, 2, "temperature"),
    "top_p": lambda form: _number(form.top_p, 1, "top_p"),
    "tool_resources": _resources,
    "metadata": _metadata,
}


def _differs(name: str, form: Form, before: Form) -> bool:
    return any(getattr(form, each) != getattr(before, each) for each in _CONTROLS[name])


def _number_text(value: float | None) -> str:
    shown = unless_usual(value)
    return "" if shown is None else str(shown).removesuffix(".0")


def _store(assistant: Assistant) -> str:
    resources = assistant.tool_resources
    search = None if resources is None else resources.file_search
    return next(iter(() if search is None else search.vector_store_ids), "")
