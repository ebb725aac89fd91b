"""Tools that run here: Python functions as the model sees them, and how they are called.

A `Tool` is made from a function's name, type hints and docstring. Calling one never raises: what goes wrong becomes a
text that the model reads, so that it can try again.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_type_hints, overload

import anyio
import anyio.to_thread
import msgspec

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.request import FunctionTool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from pydantic import BaseModel

__all__ = ["Tool", "Toolbox", "as_tool", "tool"]

Approval = Literal["never", "ask"]
_SECONDS = 60.0
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Tool:
    """A function that an agent may call here. Calling the object calls the function, as before.

    `approval="ask"` has a person asked before each call; `timeout` is in seconds, after which the model is told so.
    `origin` is what it is wherever it has another name: `mcp:SERVER/TOOL`.
    """

    def __init__(
        self,
        spec: FunctionTool,
        run: Callable[[str], Awaitable[str]],
        *,
        function: Callable[..., Any] | None = None,
        approval: Approval = "never",
        timeout: float = _SECONDS,
        origin: str | None = None,
    ) -> None:
        self.spec = spec
        self.origin = origin or spec.name
        self.approval = approval
        self.timeout = timeout
        self._run = run
        self._function = function

    @property
    def name(self) -> str:
        """The name that the model calls it by."""
        return self.spec.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        if self._function is None:
            raise TypeError(f"The tool {self.name} is not a Python function.")
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Tool({self.name!r})"

    async def call(self, arguments: str) -> str:
        """Run it on JSON arguments and return the result as text, or an error as text."""
        text = f"Error: {self.name} took longer than {self.timeout:g} s."
        try:
            with anyio.move_on_after(self.timeout):
                text = await self._run(arguments)
        except Exception as error:  # noqa: BLE001 - a tool may raise anything, and the model should learn of it
            text = f"Error: {type(error).__name__}: {error}"
        return text.encode(errors="replace").decode()  # file names may hold what no JSON can


@overload
def tool(function: Callable[..., Any]) -> Tool: ...


@overload
def tool(
    *, name: str | None = None, description: str | None = None, approval: Approval = "never", timeout: float = _SECONDS
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    approval: Approval = "never",
    timeout: float = _SECONDS,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function: its schema comes from its type hints, its words from its docstring.

    Use it bare or with options. The function may be a coroutine function; either kind runs off the event loop. Raises
    `InvalidRequest` for a function that can't be called with named arguments.
    """
    if function is None:
        return partial(_tool_of, name=name, description=description, approval=approval, timeout=timeout)
    return _tool_of(function, name=name, description=description, approval=approval, timeout=timeout)


def _tool_of(
    function: Callable[..., Any], *, name: str | None, description: str | None, approval: Approval, timeout: float
) -> Tool:
    from docstring_parser import parse
    from pydantic import PydanticUserError

    if not inspect.isroutine(function):
        raise InvalidRequest(f"{function!r} is not a function, so it can't be a tool. Write a function that calls it.")
    name = name or function.__name__
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} can't be a tool's name. Use @tool(name=…) with at most 64 of A-Z, a-z, 0-9, _ and -."
        )
    words = parse(inspect.getdoc(function) or "")
    try:
        model = _arguments_model(function, name, {each.arg_name: each.description or "" for each in words.params})
        schema = model.model_json_schema()
    except (NameError, TypeError, ValueError, PydanticUserError) as error:
        why = str(error).partition("\n")[0]
        raise InvalidRequest(f"The tool {name} needs type hints that can become a JSON schema: {why}") from error
    schema.pop("title", None)
    spec = FunctionTool(name=name, description=description or words.description, parameters=schema)
    return Tool(spec, partial(_call, function, model), function=function, approval=approval, timeout=timeout)


def _arguments_model(function: Callable[..., Any], name: str, words: Mapping[str, str]) -> type[BaseModel]:
    """Return a model of the function's parameters; each is an alias, so that its name can be any."""
    from pydantic import ConfigDict, Field, create_model

    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for number, parameter in enumerate(inspect.signature(function).parameters.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise InvalidRequest(f"The tool {name} takes {parameter}: a model can only give named arguments.")
        default = ... if parameter.default is parameter.empty else parameter.default
        field = Field(default, alias=parameter.name, description=words.get(parameter.name) or None)
        fields[f"argument_{number}"] = (hints.get(parameter.name, Any), field)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


async def _call(function: Callable[..., Any], model: type[BaseModel], arguments: str) -> str:
    from pydantic import ValidationError

    try:
        given = model.model_validate_json(arguments or "{}")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
        raise ValueError(wrong) from None
    values = {str(info.alias): getattr(given, field) for field, info in model.model_fields.items()}
    limiter = anyio.CapacityLimiter(1)  # none shared: calls that hang don't keep others, or a provider, waiting
    return await anyio.to_thread.run_sync(_run, function, values, abandon_on_cancel=True, limiter=limiter)


def _run(function: Callable[..., Any], values: Mapping[str, Any]) -> str:
    """Run a function on this thread, a coroutine on an event loop of its own: neither can hold up ours."""
    try:
        result = function(**values)
        return _as_text(asyncio.run(result) if inspect.iscoroutine(result) else result)
    except Exception:
        raise
    except BaseException as error:  # a tool may exit or cancel itself, but not our event loop
        raise RuntimeError(repr(error)) from error


def _as_text(result: object) -> str:
    if isinstance(result, str):
        return result
    try:
        return msgspec.json.encode(result, enc_hook=_dumped).decode()
    except (TypeError, ValueError):
        return str(result)


def _dumped(value: Any) -> object:
    """Return a pydantic model as what JSON can hold."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"A {type(value).__name__} is not JSON.")


class Toolbox:
    """The tools that agents may name, by name."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}

    def add(self, *tools: Tool | Callable[..., Any]) -> None:
        """Take in tools or plain functions; a later one of the same name replaces the earlier."""
        for each in tools:
            made = as_tool(each)
            self._tools[made.name] = made

    def those(self, names: Iterable[str]) -> dict[str, Tool]:
        """Return those of the named tools that are here, by name."""
        return {name: self._tools[name] for name in names if name in self._tools}

    @property
    def names(self) -> list[str]:
        """What the tools are called."""
        return list(self._tools)

    def select(self, names: Iterable[str], extra: Iterable[Tool] = ()) -> dict[str, Tool]:
        """Return the named tools and the extra ones by name; raises `UnknownName`."""
        found = {}
        for name in names:
            if name not in self._tools:
                raise UnknownName("tool", name, self._tools)
            found[name] = self._tools[name]
        return found | {each.name: each for each in extra}


def as_tool(each: Tool | Callable[..., Any]) -> Tool:
    """Return a tool as it is, and a plain function as a tool."""
    return each if isinstance(each, Tool) else tool(each)
