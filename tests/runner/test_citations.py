"""From the numbers in an answer to what they stand for."""

from __future__ import annotations

import pytest

from agentbench.runner.citations import citations, label, link
from agentbench.runner.documents import Passage


def passage(n: int = 1, **fields: object) -> Passage:
    """Return a passage."""
    told = {"document": 0, "file": f"file_{n}", "name": f"{n}.pdf", "start": 0, "end": 1, "text": "x", **fields}
    return Passage(n=n, **told)


def cited(text: str) -> list[tuple[str, str]]:
    """Return the titles of what a text cites from two passages, with the words that cite them."""
    found = citations(text, [passage(1), passage(2)])
    return [(each.title, text[each.start_index : each.end_index]) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It dives [1].", [("1.pdf", "[1]")]),
        ("So[1][2]", [("1.pdf", "[1]"), ("2.pdf", "[2]")]),
        ("So [2, 1]", [("2.pdf", "2"), ("1.pdf", "1")]),
        ("So [1,9]", [("1.pdf", "1")]),
        ("[1] and [1]", [("1.pdf", "[1]"), ("1.pdf", "[1]")]),
        ("매는 빠르다[1]. 😀 [2]", [("1.pdf", "[1]"), ("2.pdf", "[2]")]),
        ("Not [3], [0], [01], [a], [], [1 2], [-1] or 1.", []),
        ("In code: `rows[1]` and\n```\nrows[2]\n```\nbut here [2].", [("2.pdf", "[2]")]),
        ("An open block:\n```python\nrows[1]", []),
        ("", []),
    ],
)
def test_citations(text: str, expected: list[tuple[str, str]]) -> None:
    """Numbers in brackets cite, at exact offsets, those that no passage has don't, and code cites nothing."""
    assert cited(text) == expected


def test_many_brackets_take_no_time() -> None:
    """A text that is nearly a citation is read once."""
    assert cited("[1" + ", 1" * 50_000) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"page": 3, "heading": "Birds"}, "1.pdf, page 3"),
        ({"heading": "Birds > Falcons"}, "1.pdf, Birds > Falcons"),
        ({"heading": "Birds\n and  more"}, "1.pdf, Birds and more"),
        ({"heading": "x" * 200}, f"1.pdf, {'x' * 79}…"),
        ({}, "1.pdf"),
    ],
)
def test_labels(fields: dict[str, object], expected: str) -> None:
    """A passage is from a page, or else under a heading, in one short line."""
    assert label(passage(**fields)) == expected


def test_links() -> None:
    """They lead to the page of the file, or to the web page; a text has none."""
    assert link(passage()) == "/api/v1/files/file_1/content"
    assert link(passage(page=3)) == "/api/v1/files/file_1/content#page=3"
    assert link(passage(page=3, url="https://example.org/a")) == "https://example.org/a"
    assert link(passage(file=None)) == ""
