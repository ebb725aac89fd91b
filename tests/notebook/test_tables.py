"""Small tables, as text, as Markdown and as frames."""

from __future__ import annotations

from agentbench.notebook.tables import Table

TABLE = Table(("name", "count"), [("a", 10), ("long name", None)], note="That's all.")


def test_a_terminal_shows_aligned_text() -> None:
    """Columns are aligned, and the note is below."""
    assert repr(TABLE).splitlines() == [
        "name       count",
        "---------  -----",
        "a          10",
        "long name",
        "That's all.",
    ]


def test_a_notebook_shows_markdown() -> None:
    """The same table is Markdown, with the note as a paragraph."""
    assert TABLE._repr_markdown_() == ("| name | count |\n| --- | --- |\n| a | 10 |\n| long name |  |\n\nThat's all.")


def test_values_are_plain_text_in_markdown() -> None:
    """Bars, line breaks and markup in a value can't break the table."""
    table = Table(("v",), [("a|b",), ("two\nlines",), ("<b>",)])
    assert table._repr_markdown_().splitlines()[2:] == ["| a\\|b |", "| two lines |", "| \\<b\\> |"]


def test_values_stay_in_their_line_in_text() -> None:
    """A value of several lines is one line in a terminal too."""
    assert repr(Table(("a", "b"), [("two\nlines", "x")])).splitlines()[2] == "two lines  x"


def test_a_table_may_be_empty() -> None:
    """Without rows there is still the header."""
    assert repr(Table(("a", "b"), [])) == "a  b\n-  -"


def test_a_table_becomes_a_frame() -> None:
    """The rows are there for pandas."""
    assert TABLE.frame().to_dict("list") == {"name": ["a", "long name"], "count": ["10", ""]}
