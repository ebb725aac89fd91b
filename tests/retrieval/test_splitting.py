"""Texts become passages: on their structure, at their offsets, with page and heading."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentbench.config.retrieval import RetrievalSettings
from agentbench.retrieval.splitting import split
from agentbench.retrieval.values import Extracted, Piece

SMALL = RetrievalSettings(passage_size=120, passage_overlap=30, smallest_passage=30)
SENTENCE = "한국어 문장이 여기에 있습니다. "


def markdown(text: str, small: RetrievalSettings = SMALL) -> list[Piece]:
    """Split a markdown text."""
    return split(Extracted(text=text, markup="markdown"), small)


def test_headings_lead_to_a_passage() -> None:
    """A passage knows the headings it is under; those in code are none, underlined ones are."""
    code = "```python\n# no heading\nprint(1)\n```"
    text = f"# Guide\n\n{'word ' * 20}\n\n## Install\n\n{code}\n\n{'more ' * 12}\n\nUse\n---\n\n{'last ' * 20}"
    assert [piece.heading for piece in markdown(text)] == ["Guide", "Guide > Install", "Guide > Use"]
    assert code in markdown(text)[1].text


def test_front_matter_is_no_heading() -> None:
    """The fields before a markdown text don't become a heading."""
    assert markdown("---\ntitle: x\n---\n\nText.")[0].heading is None


def test_heading_alone_goes_with_what_follows() -> None:
    """A heading isn't a passage of its own, even where what follows fills one."""
    pieces = markdown(f"# Guide\n\n## First\n\n{'word ' * 23}\n\n{'more ' * 23}")
    assert [piece.text[:10] for piece in pieces] == ["# Guide\n\n#", "more more "]


def test_small_end_goes_with_what_was_before() -> None:
    """The last words of a text aren't a passage of their own."""
    assert markdown(f"{'word ' * 23}\n\nend")[-1].text.endswith("word \n\nend")


def test_tables_and_code_stay_whole() -> None:
    """A table, or code, that fits into a passage isn't cut."""
    table = "| a | b |\n|---|---|\n| one | two |\n| three | four |\n| five | six |"
    code = "```\nfirst = 1\n\nsecond = 2\n\nthird = 3\n```"
    pieces = markdown(f"{'word ' * 18}\n\n{table}\n\n{'more ' * 12}\n\n{code}")
    assert [table in piece.text for piece in pieces].count(True) == 1
    assert [code in piece.text for piece in pieces].count(True) == 1


def test_passages_overlap_within_a_section() -> None:
    """A passage repeats the last sentence before it, but nothing from before its heading or its page."""
    pieces = markdown(f"# One\n\n{SENTENCE * 12}\n\n# Two\n\n{SENTENCE * 2}")
    within = [later.start < earlier.end for earlier, later in pairwise(pieces)]
    assert within == [True, False]
    assert pieces[1].text.startswith("한국어 문장이")
    assert pieces[2].text.startswith("# Two")


def test_a_short_page_is_a_passage() -> None:
    """What stands on the last page, a slide or a small sheet is cited with that one, however short it is."""
    text = f"{SENTENCE * 9}\n\nThe deadline for papers is the third of May."
    pieces = split(Extracted(text=text, pages=(0, text.index("The deadline"))), SMALL)
    assert (pieces[-1].page, pieces[-1].text) == (2, "The deadline for papers is the third of May.")


def test_pages_are_boundaries() -> None:
    """No passage goes over the end of a page, unless the page is tiny; it has the page where most of it is."""
    pages = [SENTENCE * 9, "tiny", SENTENCE * 3, "", SENTENCE * 3]
    text, starts = "", []
    for page in pages:
        starts.append(len(text))
        text += f"{page}\n\n"
    pieces = split(Extracted(text=text, pages=tuple(starts)), SMALL)
    assert [piece.page for piece in pieces] == [1, 1, 3, 5]
    assert pieces[2].text.startswith("tiny\n\n한국어")
    assert pieces[3].start == starts[4]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["# H\n", "## 제목\n", "```\n", "한글 문장. ", "word ", "| a | b |\n", "\n", "😀", "x" * 50, "---\n"]
        )
    ),
    st.sampled_from(["markdown", "plain", "code"]),
    st.integers(1, 5),
)
def test_offsets_are_exact(parts: list[str], markup: str, pages: int) -> None:
    """A passage is the slice of the text that its offsets say, in order, and no word is left out."""
    text = "".join(parts)
    starts = tuple(sorted({len(text) * number // pages for number in range(pages)}))
    found = split(Extracted(text=text, markup=markup, pages=starts), SMALL)  # type: ignore[arg-type]
    assert [text[piece.start : piece.end] for piece in found] == [piece.text for piece in found]
    covered = {offset for piece in found for offset in range(piece.start, piece.end)}
    assert "".join(each for number, each in enumerate(text) if number not in covered).strip() == ""
    assert all(earlier.end < later.end for earlier, later in pairwise(found))


@pytest.mark.parametrize("markup", ["markdown", "plain"])
def test_large_texts_are_quick(markup: str) -> None:
    """A megabyte with structure takes well under a second, and one word of a megabyte doesn't take much more."""
    section = f"# Head\n\n{SENTENCE * 20}\n\n- one\n- two\n\n```python\nprint(1)\n```\n\n"
    for text in (section * (1_000_000 // len(section)), "a" * 1_000_000):
        begun = time.process_time()
        found = split(Extracted(text=text, markup=markup), RetrievalSettings())  # type: ignore[arg-type]
        assert time.process_time() - begun < 1
        assert max(len(piece.text) for piece in found) <= 1300
