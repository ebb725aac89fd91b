"""What is a title's text: a question's first words, or a model's answer without all that isn't title in it."""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec

from agentbench.runner.characters import is_within_character

__all__ = ["cleaned", "first_words", "structured_title"]

_WORDS_LENGTH = 60
_LENGTH = 200
_LOOKED_AT = 10_000
"""Characters of a question's beginning or an answer's end: what is before that is thought."""

_THOUGHTS = (
    re.compile(r"<(think|thinking)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL),
    re.compile(r"\A.*</think(?:ing)?\s*>", re.IGNORECASE | re.DOTALL),  # some servers swallow the opening tag
    re.compile(r"<think(?:ing)?\b.*", re.IGNORECASE | re.DOTALL),
)
_LABEL = re.compile(
    r"#{1,6}\s+|[-*•]\s+|[*_]{0,2}(?:title|headline|제목|user)[*_]{0,2}\s*[:：][*_]{0,2}\s*",  # noqa: RUF001 - typed so
    re.IGNORECASE,
)
_PAIRS = ('""', "''", "``", "“”", "„“", "‘’", "«»", "「」", "『』", "《》", "**", "__")  # noqa: RUF001 - meant
_QUOTED = re.compile("|".join(rf"[{a[0]}]+([^{a}]+)[{a[1]}]+[.。]?" for a in _PAIRS))
_FENCES = ("```", "~~~")
_JOINERS = "\u200c\u200d"


class _Titled(msgspec.Struct):
    title: str


def first_words(question: str) -> str:
    """Return the first words of a question as a title, with an ellipsis where there are more."""
    return _shortened(_one_line(question[:_LOOKED_AT]), _WORDS_LENGTH)


def cleaned(answer: str) -> str:
    """Return the title that a model's answer holds: its first line that is one; empty if there is none."""
    for line in _without_thoughts(answer).splitlines():
        title = _bare(_one_line(line))
        if title and not title.startswith(_FENCES) and not title.endswith(":"):  # a colon announces a title
            return _shortened(title, _LENGTH)
    return ""


def structured_title(answer: str) -> str:
    """Return the title in an answer that should be JSON, whatever stands around it; text without JSON is a title."""
    answer = _without_thoughts(answer).strip()
    with suppress(msgspec.DecodeError):
        found = answer[answer.find("{") : answer.rfind("}") + 1]
        return cleaned(msgspec.json.decode(found, type=_Titled).title)
    is_broken = answer.startswith("{") or '"title"' in answer
    return "" if is_broken else cleaned(answer)


def _without_thoughts(answer: str) -> str:
    answer = answer[-_LOOKED_AT:]
    for pattern in _THOUGHTS:
        answer = pattern.sub("", answer)
    return answer


def _one_line(text: str) -> str:
    """Return what can be seen of a text, in one line: it may go to a terminal."""
    seen = (each for each in text if each.isprintable() or each.isspace() or each in _JOINERS)
    return " ".join("".join(seen).split())


def _bare(line: str) -> str:
    """Return a line without the marks, labels and quotes around it."""
    before = None
    while line != before:
        before = line
        if (quoted := _QUOTED.fullmatch(line)) is not None:
            line = quoted[quoted.lastindex or 0].strip()
        elif (label := _LABEL.match(line)) is not None:
            line = line[label.end() :]
    return line


def _shortened(text: str, length: int) -> str:
    """Return at most so many characters, cut at the end of a word if there is one in the second half."""
    if len(text) <= length:
        return text
    end = length - 1
    while is_within_character(text, end):
        end -= 1
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space >= length // 2 else end].rstrip() + "…"
