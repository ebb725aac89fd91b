"""Takes secrets out of whatever goes to a cassette: known ones, what looks like one, and what the user names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from agentbench.config.secret import MASK
from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["Hiding"]

_SHORTEST = 8  # what is shorter is no secret, and could stand anywhere in a text
_NO_SECRETS = re.compile(r"application/json|\d{4}-\d\d-\d\d|not-needed|lm-studio")  # headers and keys that all know
# A prefix of a key may be one of a word as well (key_points): what follows is long, with a digit or a capital.
_LOOKS_SECRET = re.compile(
    r"""\b(?:
      (?:sk|pk|rk)[-_](?=[\w-]*[\dA-Z])[\w-]{8,}
    | (?:gsk|xai|hf|key|ghp|gho|ghs|glpat|nvapi|pplx|r8|csk|ab)[-_](?=\w*\d)\w{20,}
    | github_pat_\w{20,} | xox[abp]-[\w-]{10,} | (?:AKIA|ASIA)[A-Z\d]{16} | AIza[\w-]{20,}
    | (?i:bearer)[ ](?=[\w.~+/=-]*\d)[\w.~+/=-]{12,}
    | eyJ[\w-]+\.[\w-]+\.[\w-]*
    )""",
    re.VERBOSE | re.ASCII,
)
_SECRET_FIELD = re.compile(
    r"(x[-_])?(goog[-_])?api[-_]?key|authorization|pass(word|wd)|(client|access|refresh|private)[-_]?(secret|key|token)|secret",
    re.IGNORECASE,
)
_SECRET_QUERY = re.compile(
    r"(?<=[?&])((?:[\w-]*[-_])?(?:key|token|sig|signature|secret|password|code|apikey)=)[^&#]+", re.IGNORECASE
)


class Hiding:
    """Replaces secrets by `****`; the same on both sides, so that masked requests still match.

    `patterns` are regular expressions; a wrong one is an `InvalidRequest`.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._named = [_compiled(each) for each in patterns]
        self._known: frozenset[str] = frozenset()
        self._known_re: re.Pattern[str] | None = None

    def know(self, secrets: Iterable[str]) -> None:
        """Hide these from now on."""
        known = self._known.union(
            each for each in secrets if len(each) >= _SHORTEST and not _NO_SECRETS.fullmatch(each)
        )
        if known != self._known:
            forms = {
                form
                for each in known
                for form in (each, msgspec.json.encode(each).decode()[1:-1], quote(each, safe=""))
            }
            self._known_re = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
            self._known = known

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where a text holds secrets, in order, without overlaps."""
        patterns = [_LOOKS_SECRET, *self._named] + ([self._known_re] if self._known_re else [])
        found = sorted(match.span() for pattern in patterns for match in pattern.finditer(text) if match.group())
        spans: list[tuple[int, int]] = []
        for start, end in found:
            if spans and start < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
        return spans

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        for start, end in reversed(self.spans(text)):
            text = text[:start] + MASK + text[end:]
        return text

    def path(self, path: str) -> str:
        """Return the path of a request without its secrets; those in a query are known by the parameter's name."""
        return self.text(_SECRET_QUERY.sub(rf"\1{MASK}", path))

    def request(self, body: Any) -> Any:
        """Return what was asked without secrets; fields whose name says that they hold one are hidden whole."""
        return _mapped(body, self._leaf, is_secret=_SECRET_FIELD.fullmatch)

    def stream(self, values: Sequence[Any]) -> list[Any]:
        """Return what came piece by piece, JSON each, without secrets, also where one is spread over pieces.

        A value in which there was none is the same object as before.
        """
        texts: dict[tuple[Any, ...], list[str]] = {}
        for value in values:
            for path, text in _texts(value, ()):
                texts.setdefault(path, []).append(text)
        hidden = {path: self._joined(several) for path, several in texts.items()}
        if all(hidden[path] == texts[path] for path in texts) and not any(map(self._has_more, values)):
            return list(values)
        rest = {path: iter(several) for path, several in hidden.items()}
        return [self._replaced(value, rest) for value in values]

    def _joined(self, texts: list[str]) -> list[str]:
        """Hide what the texts hold together: the first with a part of a secret gets the mask, others lose theirs."""
        if len(set(texts)) == 1:  # a name that is in every piece
            return [self.text(texts[0])] * len(texts)
        spans = self.spans("".join(texts))
        out, at = [], 0
        for text in texts:
            out.append(_cut(text, at, spans) if spans else text)
            at += len(text)
        return out

    def _has_more(self, value: Any) -> bool:
        """Return whether a secret is among keys or numbers."""
        return bool(_mapped(value, self._leaf) != value)

    def _replaced(self, value: Any, texts: dict[tuple[Any, ...], Iterator[str]]) -> Any:
        named = _with_texts(value, (), texts)
        return _mapped(named, self._leaf) if named != value or self._has_more(value) else value

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return 0 if any(pattern.search(str(value)) for pattern in self._named) else value
        return value


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidRequest(f"hide: {pattern!r} is not a regular expression: {error}.", param="hide") from None


def _mapped(value: Any, leaf: Callable[[Any], Any], is_secret: Callable[[str], Any] = lambda _: None) -> Any:
    """Return a JSON value with other keys and leaves."""
    if isinstance(value, dict):
        return {
            leaf(key): MASK if isinstance(each, str) and is_secret(key) else _mapped(each, leaf, is_secret)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_mapped(each, leaf, is_secret) for each in value]
    return leaf(value)


def _texts(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _texts(each, (*path, place))


def _with_texts(value: Any, path: tuple[Any, ...], texts: dict[tuple[Any, ...], Iterator[str]]) -> Any:
    """Return a value whose texts are the next of their paths."""
    if isinstance(value, str):
        return next(texts[path])
    if isinstance(value, dict):
        return {key: _with_texts(each, (*path, key), texts) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_texts(each, (*path, place), texts) for place, each in enumerate(value)]
    return value


def _cut(text: str, at: int, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text, which stands at `at` in what the spans are of, with their parts of it masked."""
    for start, end in reversed(spans):
        low, high = max(start - at, 0), min(end - at, len(text))
        if low < high:
            text = text[:low] + (MASK if start >= at else "") + text[high:]
    return text
