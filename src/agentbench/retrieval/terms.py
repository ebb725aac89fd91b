"""From text to the terms that the text index knows, in texts and in queries alike.

Words of alphabets are stemmed. Chinese, Japanese and Korean are cut into overlapping pairs of characters, since words
there run into one another, or into their particles, and many have two characters.
"""

from __future__ import annotations

import re
import struct
import threading
import unicodedata
import zlib
from collections import Counter
from functools import cache, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from agentbench.errors import MissingExtra

if TYPE_CHECKING:
    from typing import Protocol

    class Stemmer(Protocol):
        """What this module needs of a stemmer."""

        def stemWord(self, word: str) -> str:  # noqa: N802 - its name there
            """Return the word without its endings."""


__all__ = ["MOST_COUNTED", "packed_terms", "term_hash", "terms", "text_hash"]

LONGEST_WORD = 64
"""Characters of a word that count: what is longer is no word but a key or an encoded picture."""

MOST_COUNTED = 255
"""A term that is in a passage more often counts as if it were in it so often."""

SYLLABIC = r"\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
SYLLABIC += r"\U00020000-\U0003134f"
RUN = re.compile(f"[{SYLLABIC}]+")
PIECE = re.compile(rf"{RUN.pattern}|[^\W_{SYLLABIC}]+")

_lock = threading.Lock()  # a stemmer keeps the word that it is at


def terms(text: str) -> list[str]:
    """Return the terms of a text in their order, as often as they are in it."""
    return [term for piece in _pieces(text) for term in _terms_of(piece)]


def packed_terms(text: str) -> bytes:
    """Return a text's terms as the database keeps them: little-endian, 4 bytes of count and 4 of hash each, by hash.

    The number that both make together is `hash << 32 | count`.
    """
    counts: Counter[int] = Counter()
    for piece, count in Counter(_pieces(text)).items():
        for each in _hashes_of(piece):
            counts[each] += count
    numbers = [each << 32 | min(count, MOST_COUNTED) for each, count in sorted(counts.items())]
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def term_hash(term: str) -> int:
    """Return 32 bits for a term, the same in every process."""
    return zlib.crc32(term.encode("utf-8", "replace"))


def text_hash(text: str) -> int:
    """Return 63 bits by which the same text, whatever the spaces in it, is told from others."""
    digest = blake2b(" ".join(text.split()).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _pieces(text: str) -> list[str]:
    return PIECE.findall(unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=200_000)
def _hashes_of(piece: str) -> tuple[int, ...]:
    return tuple(map(term_hash, _terms_of(piece)))


def _terms_of(piece: str) -> list[str]:
    if not RUN.match(piece):
        return [_stem(piece[:LONGEST_WORD])]
    return [piece[at : at + 2] for at in range(max(1, len(piece) - 1))]


def _stem(word: str) -> str:
    stemmer = _stemmer(word[0])
    if stemmer is None:
        return word
    with _lock:
        return stemmer.stemWord(word)


def _stemmer(letter: str) -> Stemmer | None:
    """Choose by the script: most words in Latin letters are English or, as names and codes, have no endings."""
    if letter < "\u0250":
        return _stemmer_of("english")
    if "\u0370" <= letter < "\u0400":
        return _stemmer_of("greek")
    if "\u0400" <= letter < "\u0530":
        return _stemmer_of("russian")
    return None


@cache
def _stemmer_of(language: str) -> Stemmer:
    try:
        from snowballstemmer import stemmer  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("retrieval", "Working with files") from error
    made: Stemmer = stemmer(language)
    return made
