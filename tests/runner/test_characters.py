"""Where a cut would break a character apart."""

from __future__ import annotations

import pytest

from agentbench.runner.characters import is_within_character


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("ab", []),
        ("한국", []),
        ("e\u0301a", [1]),
        ("\u1112\u1161\u11ab\u1100", [1, 2]),
        ("👍🏽!", [1]),
        ("👩\u200d👧👦", [1, 2]),
        ("❤\ufe0f", [1]),
        ("🇰🇷", [1]),
        ("a\r\nb", [2]),
        ("", []),
    ],
)
def test_places_within_a_character(text: str, inner: list[int]) -> None:
    """Marks, joiners, skin tones, flags, decomposed syllables and line ends hold together; letters don't."""
    assert [place for place in range(-1, len(text) + 2) if is_within_character(text, place)] == inner
