"""Puts Python values into prompts: `{{expression}}` is replaced once by what it gives.

What is put in is never looked at again, so text from a variable can't reach another one. Single braces are plain text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest, nearest
from agentbench.notebook.frame_text import frame_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

__all__ = ["interpolate", "lookup"]


def interpolate(text: str, namespace: Mapping[str, Any]) -> str:
    """Return the text with each `{{expression}}` replaced.

    Raises `InvalidRequest` that names the expression: for a missing name, a syntax error, or what it raised.
    """
    out: list[str] = []
    position = 0
    while (start := text.find("{{", position)) >= 0:
        expression, code, end = _expression(text, start)
        out += [text[position:start], _text_of(_value(expression, code, namespace))]
        position = end
    return "".join([*out, text[position:]])


def lookup(name: str, namespace: Mapping[str, Any], *, option: str) -> Any:
    """Return the variable that an option names."""
    if name in namespace:
        return namespace[name]
    raise InvalidRequest(f"{option} {name}: {_no_such(name, namespace)}")


def _expression(text: str, start: int) -> tuple[str, CodeType, int]:
    """Return the expression that begins at `start`: up to the first `}}` that makes it whole; a dict may hold some."""
    end, problem = start, "there is no closing }}"
    while (end := text.find("}}", end)) >= 0:
        source = text[start + 2 : end].strip()
        try:
            return source, compile(source, "<prompt>", "eval"), end + 2
        except (SyntaxError, ValueError) as error:
            problem = f"that is not a Python expression ({getattr(error, 'msg', error)})"
            end += 1
    shown = text[start : start + 30].splitlines()[0]
    raise InvalidRequest(f"{shown}: {problem}. Use --raw to send braces as they are.")


def _value(expression: str, code: CodeType, namespace: Mapping[str, Any]) -> Any:
    try:
        return eval(code, dict(namespace))  # noqa: S307 - the person at the kernel wrote it, to be run here
    except NameError as error:
        raise InvalidRequest(f"{{{{{expression}}}}}: {_no_such(error.name or expression, namespace)}") from None
    except Exception as error:
        raise InvalidRequest(f"{{{{{expression}}}}} raised {type(error).__name__}: {error}") from error


def _no_such(name: str, namespace: Mapping[str, Any]) -> str:
    close = nearest(name, [each for each in namespace if not each.startswith("_")])
    return f"there is no variable {name!r}." + (f" Did you mean {close!r}?" if close else "")


def _text_of(value: Any) -> str:
    """Return a value as text; a frame as its schema with some rows."""
    described = frame_text(value)
    return str(value) if described is None else described
