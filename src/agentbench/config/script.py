"""What the `scripted` endpoint plays: turns of steps, as frozen values.

How steps are written and checked lies in `script_schema.py`; playing them is the provider's work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Call",
    "Fail",
    "Finish",
    "Reasoning",
    "Refusal",
    "Script",
    "Step",
    "Text",
    "Usage",
    "Wait",
    "script",
]


class Text(msgspec.Struct, frozen=True):
    """The model says `text`, in small pieces."""

    text: str


class Reasoning(msgspec.Struct, frozen=True):
    """The model thinks `text`, in small pieces."""

    text: str


class Refusal(msgspec.Struct, frozen=True):
    """The model refuses, and says `text`."""

    text: str


class Call(msgspec.Struct, frozen=True):
    """The model calls a function; `arguments` is the text it sends, which need not be valid JSON."""

    name: str
    arguments: str = "{}"


class Wait(msgspec.Struct, frozen=True):
    """Nothing happens for some seconds."""

    seconds: float


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that the turn reports; cached ones are part of the input, reasoning ones of the output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Finish(msgspec.Struct, frozen=True):
    """The turn ends for this reason; a turn without it ends as if by "stop"."""

    reason: Literal["stop", "length", "content_filter"]


class Fail(msgspec.Struct, frozen=True):
    """The turn breaks off with an error."""

    message: str


Step: TypeAlias = Text | Reasoning | Refusal | Call | Wait | Usage | Finish | Fail


class Script(msgspec.Struct, frozen=True):
    """At least one turn; a turn is what the model does in one call, and may be empty."""

    turns: tuple[tuple[Step, ...], ...]


def script(steps: Sequence[Mapping[str, object]] | Mapping[str, object]) -> Script:
    """Read one turn as a list of steps, or several as `{"turns": [[step, …], …]}`.

    A step has exactly one key: `text`, `reasoning`, `refusal`, `call`, `wait`, `usage`, `finish` or `error`.
    Raises `ConfigError` that names the step.
    """
    from agentbench.config.problem import InvalidValueError, config_error
    from agentbench.config.script_schema import read_script

    try:
        return read_script(steps)
    except InvalidValueError as error:
        problems = error.problems
    raise config_error(problems)
