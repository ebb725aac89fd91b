"""JSON that msgspec doesn't read."""

from __future__ import annotations

import pytest

from agentbench.archives.json_text import decode
from agentbench.archives.values import Malformed


def test_depth_is_no_matter() -> None:
    """Ten thousand lists within each other are read."""
    value = decode("[" * 10_000 + "]" * 10_000)
    depth = 0
    while value:
        [value] = value
        depth += 1
    assert depth == 9_999


def test_half_a_character_is_replaced() -> None:
    """Programs cut titles in the middle of an emoji; all else comes as it is."""
    text = r'{"title": "\ud83d", "list": [1, -2.5e3, true, null, NaN, "\u00e4\n"], "empty": {}}'
    assert decode(text) == {"title": "\ufffd", "list": [1, -2500.0, True, None, None, "ä\n"], "empty": {}}


@pytest.mark.parametrize("text", ["[1, 2\n, }", "[1 2]", '{"a" 1}', "{1: 2}", '["a', "[1]]", "[1,", "[01x]"])
def test_what_is_no_json_is_told_with_its_line(text: str) -> None:
    """The place is where reading stopped."""
    with pytest.raises(Malformed, match=r"it is no JSON: .* in line \d"):
        decode(text)
