"""How an operator writes a script: one key a step, `{text: …}` or `{call: …}`. The values are in `script.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self, TypeAlias

import msgspec
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from agentbench.config.problem import InvalidValueError
from agentbench.config.script import Call, Fail, Finish, Reasoning, Refusal, Script, Step, Text, Usage, Wait
from agentbench.config.section import Section
from agentbench.config.validate import problems_in

__all__ = ["read_script"]

_LONGEST_WAIT = 3600.0


def _json_text(arguments: object) -> str:
    """Keep text as it is, so that a script can send broken JSON; encode a mapping."""
    if isinstance(arguments, str):
        return arguments
    if not isinstance(arguments, Mapping):
        raise ValueError("expected a mapping or text")  # noqa: TRY004 - pydantic takes ValueError only
    try:
        return msgspec.json.encode(arguments).decode()
    except TypeError:
        raise ValueError("expected values that JSON can hold") from None


class _CallSection(Section):
    name: str = Field(min_length=1)
    arguments: Annotated[object, AfterValidator(_json_text)] = "{}"


_Count = Annotated[int, Field(ge=0)]


class _UsageSection(Section):
    input_tokens: _Count = 0
    output_tokens: _Count = 0
    cached_tokens: _Count = 0
    reasoning_tokens: _Count = 0


class _StepSection(Section):
    text: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    call: _CallSection | None = None
    wait: float | None = Field(default=None, ge=0, le=_LONGEST_WAIT)
    usage: _UsageSection | None = None
    finish: Literal["stop", "length", "content_filter"] | None = None
    error: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"a step has exactly one of the keys {', '.join(_VALUES)}")
        return self

    def value(self) -> Step:
        (key,) = self.model_fields_set
        return _VALUES[key](getattr(self, key))


_VALUES: dict[str, Callable[..., Step]] = {
    "text": Text,
    "reasoning": Reasoning,
    "refusal": Refusal,
    "call": lambda call: Call(call.name, call.arguments),
    "wait": Wait,
    "usage": lambda usage: Usage(**usage.model_dump()),
    "finish": Finish,
    "error": Fail,
}


_Turn: TypeAlias = list[_StepSection]


class _TurnsSection(Section):
    turns: list[_Turn] = Field(min_length=1)


def read_script(written: object) -> Script:
    """Return the script; raise `InvalidValueError` with the path of each wrong step."""
    if isinstance(written, Script):
        return written
    kind = _TurnsSection if isinstance(written, Mapping) else _Turn
    try:
        read = TypeAdapter[_TurnsSection | _Turn](kind).validate_python(written)
    except ValidationError as error:
        problems = tuple(problems_in(error, kind))
    else:
        turns = read.turns if isinstance(read, _TurnsSection) else [read]
        return Script(tuple(tuple(step.value() for step in turn) for turn in turns))
    raise InvalidValueError(*problems)
