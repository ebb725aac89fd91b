"""JSON as programs really write it: nested thousands deep, with halves of characters, with NaN.

msgspec reads what is in order, and fast; the rest is read here, without recursion.
"""

from __future__ import annotations

import re
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # typeshed leaves it out
from typing import Any

import msgspec

from agentbench.archives.values import Malformed

__all__ = ["decode"]

_SPACE = re.compile(r"[ \t\n\r]*")
_VALUE = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity")
_WORDS = {"true": True, "false": False, "null": None, "NaN": None, "Infinity": None, "-Infinity": None}
_HALF = re.compile("[\ud800-\udfff]")


def decode(text: str) -> Any:
    """Return what a JSON text says; raises `Malformed` with the line where it is no JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _Reader(text).read()


class _Reader:
    """Reads a text from its beginning to its end; `stack` holds the containers that are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._stack: list[tuple[Any, str]] = []  # a container, and the key in it that waits for its value

    def read(self) -> Any:
        holder: list[Any] = []
        self._stack.append((holder, ""))
        self._value()
        while len(self._stack) > 1:
            self._next()
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("there is something after the end")
        return holder[0]

    def _next(self) -> None:
        """Read the next member of the innermost container, or its end."""
        inner = self._stack[-1][0]
        sign = self._sign()
        if sign == ("]" if isinstance(inner, list) else "}"):
            self._at += 1
            self._stack.pop()
            return
        if inner:
            if sign != ",":
                raise self._wrong("a comma is missing")
            self._at += 1
        if isinstance(inner, dict):
            self._stack[-1] = (inner, self._key())
        self._value()

    def _key(self) -> str:
        if self._sign() != '"':
            raise self._wrong("a name is missing")
        key = self._string()
        if self._sign() != ":":
            raise self._wrong("a colon is missing")
        self._at += 1
        return key

    def _value(self) -> None:
        sign = self._sign()
        if sign in ("{", "["):
            made: Any = {} if sign == "{" else []
            self._at += 1
            self._put(made)
            self._stack.append((made, ""))
        elif sign == '"':
            self._put(self._string())
        elif (found := _VALUE.match(self._text, self._at)) is not None:
            self._at = found.end()
            self._put(_WORDS[found[0]] if found[0] in _WORDS else _number(found[0]))
        else:
            raise self._wrong("a value is missing")

    def _put(self, value: Any) -> None:
        holder, key = self._stack[-1]
        if isinstance(holder, dict):
            holder[key] = value
        else:
            holder.append(value)

    def _string(self) -> str:
        try:
            value, self._at = scanstring(self._text, self._at + 1, False)  # noqa: FBT003 - it takes no names
        except JSONDecodeError as error:
            self._at = error.pos
            raise self._wrong("a string doesn't end") from None
        return _HALF.sub("\ufffd", value)

    def _sign(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        if (found := _SPACE.match(self._text, self._at)) is not None:
            self._at = found.end()

    def _wrong(self, what: str) -> Malformed:
        line = self._text.count("\n", 0, self._at) + 1
        return Malformed(f"it is no JSON: {what} in line {line}, at character {self._at:,}")


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        value = float(text)
    return value if abs(value) != float("inf") else None
