"""From what a model says to a title, and from a question to one."""

from __future__ import annotations

import pytest

from agentbench.runner.title_text import cleaned, first_words, structured_title

CLEANED = {
    "Weather in Seoul": "Weather in Seoul",
    "  Weather \t in\u00a0Seoul \n": "Weather in Seoul",
    '"Weather in Seoul"': "Weather in Seoul",
    "“Weather in Seoul”.": "Weather in Seoul",
    "'Weather'": "Weather",
    "`Weather`": "Weather",
    "**Weather in Seoul**": "Weather in Seoul",
    "__Weather__": "Weather",
    "# Weather in Seoul": "Weather in Seoul",
    "- Weather": "Weather",
    "Title: Weather in Seoul": "Weather in Seoul",
    "**Title:** Weather": "Weather",
    '## Title: **"Weather"**': "Weather",
    "제목: 「서울의 가을 날씨」": "서울의 가을 날씨",
    "User: Why is the sky blue?": "Why is the sky blue?",
    "Title:\nWeather": "Weather",
    "Here is a title for the conversation:\n\n“Weather”\n\nIt is short.": "Weather",
    "```\nWeather\n```": "Weather",
    "<think>Hm, a\ntitle.</think>Weather": "Weather",
    "Weather<THINKING depth='1'>Hm.</Thinking>": "Weather",
    "Hm, no opening.</think>\nWeather": "Weather",
    "<think>Never closed: Weather": "",
    "<think></think>": "",
    "Weather <think>and": "Weather",
    '"Clouds" and "Rain"': '"Clouds" and "Rain"',
    "'tis the season": "'tis the season",
    "C# and F#": "C# and F#",
    "#cats in art": "#cats in art",
    "Titles: how to write them": "Titles: how to write them",
    "5 * 3 * 2": "5 * 3 * 2",
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "Red \x1b[31malert\x00 \u202eok\ud800": "Red [31malert ok",
    "Family 👨\u200d👩\u200d👧": "Family 👨\u200d👩\u200d👧",
    "": "",
    '""': '""',
    "...": "...",
}


@pytest.mark.parametrize(("answer", "title"), CLEANED.items(), ids=map(ascii, CLEANED))
def test_a_models_answer(answer: str, title: str) -> None:
    """Thoughts, marks, labels, quotes and what can't be seen are taken off; of several lines the first title counts."""
    assert cleaned(answer) == title


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("w" * 200, "w" * 200), ("w" * 201, "w" * 199 + "…"), ("word " * 60, "word " * 39 + "word…")],
)
def test_a_long_answer(answer: str, expected: str) -> None:
    """A title has 200 characters at most."""
    assert cleaned(answer) == expected
    assert len(expected) <= 200


def test_a_hostile_answer() -> None:
    """Marks without end are read in no time, and only an answer's end is looked at."""
    for piece in ("<think>", "{", "# ", '"', "</think", "*"):
        cleaned(piece * 100_000)
        structured_title(piece * 100_000)
    assert cleaned("<think>" + "Hm. " * 10_000 + "</think>Weather") == "Weather"


STRUCTURED = {
    '{"language": "Korean", "title": "서울의 날씨"}': "서울의 날씨",
    '{"title": "Weather"}': "Weather",
    'Sure:\n```json\n{"language": "English",\n "title": "\\"Weather\\""}\n```': "Weather",
    '<think>{"title": "No"}</think>{"language": "English", "title": "Yes"}': "Yes",
    "Weather in Seoul": "Weather in Seoul",
    "Sets {a} and {b}": "Sets {a} and {b}",
    '{"language": "English", "title": "Weath': "",
    '{"language": "English"}': "",
    '{"language": "English", "title": 5}': "",
    '{"language": "English", "title": ""}': "",
    "": "",
}


@pytest.mark.parametrize(("answer", "title"), STRUCTURED.items(), ids=map(ascii, STRUCTURED))
def test_a_structured_answer(answer: str, title: str) -> None:
    """The title is found in the JSON, whatever is around it; text without JSON is the title; broken JSON is none."""
    assert structured_title(answer) == title


WORDS = {
    "Why is\n the sky  blue?": "Why is the sky blue?",
    "w" * 60: "w" * 60,
    "w" * 61: "w" * 59 + "…",
    "long " * 30: "long " * 11 + "long…",
    "Why would anybody want to know what all of this was good for me": (
        "Why would anybody want to know what all of this was good…"
    ),
    "See https://example.org/" + "x" * 80: "See https://example.org/" + "x" * 35 + "…",
    "👍🏽" * 40: "👍🏽" * 29 + "…",
    "대한민국 " * 20: "대한민국 " * 11 + "대한민국…",
    " \n": "",
}


@pytest.mark.parametrize(("question", "title"), WORDS.items(), ids=map(ascii, WORDS))
def test_first_words(question: str, title: str) -> None:
    """A question's first words are at most 60 characters, cut at the end of a word where that loses little."""
    assert first_words(question) == title
    assert len(title) <= 60
