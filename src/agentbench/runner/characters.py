"""Where text may be cut without breaking a character as people see it: an accented letter, a flag, a family."""

from __future__ import annotations

from unicodedata import category

__all__ = ["is_within_character"]

_JOINER = "\u200d"
_MARKS = ("Mn", "Mc", "Me")


def is_within_character(text: str, place: int) -> bool:
    """Tell whether a cut at `place` would separate what is shown as one character; flags in a row count as one."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if after.isascii():
        return before == "\r" and after == "\n"
    both_flags = _is_flag_letter(before) and _is_flag_letter(after)
    return _JOINER in (before, after) or category(after) in _MARKS or _changes_the_last(after) or both_flags


def _changes_the_last(character: str) -> bool:
    """Tell whether it is a skin tone, a tag within a flag, or a later letter of a decomposed Korean syllable."""
    return (
        "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or "\u1160" <= character <= "\u11ff"
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
