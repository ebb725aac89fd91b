"""What of a passage is searched: its text, after the headings that it stands under."""

from __future__ import annotations

__all__ = ["in_context"]

_BETWEEN = " > "


def in_context(text: str, heading: str | None) -> str:
    """Return a passage's text after those of its headings that aren't in it: where it stands says what it is about."""
    above = [each for each in (heading or "").split(_BETWEEN) if each and each not in text]
    return "\n".join((_BETWEEN.join(above), text)) if above else text
