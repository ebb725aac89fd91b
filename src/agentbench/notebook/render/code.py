"""Code as HTML, its words marked with one of five classes."""

from __future__ import annotations

from functools import cache, lru_cache
from html import escape
from itertools import groupby
from time import thread_time
from typing import TYPE_CHECKING

import msgspec
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Literal, Name, Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pygments.token import _TokenType

__all__ = ["code_html", "pretty_json"]

# Not every language of Pygments: some of its patterns take for ever on text that was made for it.
_LANGUAGES = {
    *("bash", "c", "c++", "cpp", "cs", "csharp", "c#", "css", "diff", "docker", "dockerfile", "go", "golang"),
    *("graphql", "html", "ini", "java", "javascript", "js", "json", "jsonc", "jsx", "julia", "kotlin", "latex"),
    *("lua", "make", "makefile", "markdown", "md", "perl", "php", "powershell", "ps1", "py", "pycon", "python"),
    *("python3", "r", "rb", "ruby", "rs", "rust", "scala", "scss", "sh", "shell", "sql", "svelte", "swift"),
    *("tex", "toml", "ts", "tsx", "typescript", "xml", "yaml", "yml", "zsh", "console"),
}
_OTHER_NAMES = {"jsonc": "javascript", "svelte": "html"}
_CLASSES = {
    Comment: "ab-c",
    Literal.String: "ab-s",
    Literal.Number: "ab-n",
    Keyword: "ab-k",
    Operator.Word: "ab-k",
    Name.Function: "ab-f",
    Name.Class: "ab-f",
    Name.Tag: "ab-f",
}
_LONGEST_BLOCK = 50_000
_LONGEST_LINE = 1_000  # Pygments looks ahead to a line's end; on lines much longer its time is the square of that
_MOST_INDENTS = 500_000
_SECONDS = 0.4  # of this thread's own time, whatever else the machine does


def code_html(code: str, language: str) -> str:
    """Return code with its words marked; escaped only, if the language is unknown or it is too much or too hard."""
    name = language.lower()
    too_much = len(code) > _LONGEST_BLOCK or max(map(len, code.split("\n"))) > _LONGEST_LINE
    return escape(code) if too_much or name not in _LANGUAGES else _highlighted(code, name)


@lru_cache(maxsize=32)
def _highlighted(code: str, name: str) -> str:
    try:
        words = list(_words(code, name))
    except TimeoutError:
        return escape(code)
    if "".join(text for _, text in words) != code:  # a console's lexer drops a last line that isn't whole
        return escape(code)
    runs = ((kind, "".join(text for _, text in run)) for kind, run in groupby(words, key=lambda word: word[0]))
    return "".join(f'<span class="{kind}">{escape(text)}</span>' if kind else escape(text) for kind, text in runs)


def _words(code: str, name: str) -> Iterator[tuple[str, str]]:
    deadline = thread_time() + _SECONDS
    lexer = get_lexer_by_name(_OTHER_NAMES.get(name, name), stripnl=False, ensurenl=False)
    for kind, text in lexer.get_tokens(code):
        if thread_time() > deadline:
            raise TimeoutError
        yield _class_of(kind), text


@cache
def _class_of(kind: _TokenType) -> str:
    return next((_CLASSES[family] for family in reversed(kind.split()) if family in _CLASSES), "")


def pretty_json(text: str) -> str:
    """Return JSON with a member a line; as it is if it isn't JSON, or so deep that its indents would outgrow it."""
    openers = text.count("[") + text.count("{")
    if openers * (2 * openers + text.count(",")) > _MOST_INDENTS:
        return text
    try:
        return msgspec.json.format(text.encode("utf-8", "replace"), indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        return text
