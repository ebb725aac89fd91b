"""Texts that must not be seen."""

from __future__ import annotations

import re
from typing import NoReturn

__all__ = ["MASK", "Secret", "without_keys"]

MASK = "****"

_KEY_LIKE = re.compile(r"\b((?:sk|pk|gsk|xai|hf|key)[-_]|AIza|(?i:bearer) )[\w*.-]{6,}")
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)  # a JSON Web Token: it begins with {" in base64


class Secret:
    """A text that never shows itself in a repr, a format, a pickle or JSON; `reveal()` gives it."""

    # Neither a dataclass nor a Struct: msgspec and others would encode those.
    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; send it, never show or store it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret can't be pickled or copied. Pass the object itself.")


def without_keys(text: str) -> str:
    """Return a text in which whatever looks like a key or a token is masked."""
    return _TOKEN.sub(MASK, _KEY_LIKE.sub(rf"\1{MASK}", text))
