"""The terms of texts and queries."""

from __future__ import annotations

import struct
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentbench.retrieval.terms import packed_terms, term_hash, terms, text_hash

if TYPE_CHECKING:
    from collections.abc import Iterable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n\0 — …", []),
        ("The Falcons were nesting.", ["the", "falcon", "were", "nest"]),
        ("snake_case error-42 v3.11", ["snake", "case", "error", "42", "v3", "11"]),
        ("\uff26\uff35\uff2c\uff2c ﬁt STRASSE straße", ["full", "fit", "strass", "strass"]),
        ("대한민국", ["대한", "한민", "민국"]),
        ("값 은행은", ["값", "은행", "행은"]),
        ("GPU를 3개", ["gpu", "를", "3", "개"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("книгами книга", ["книг", "книг"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("x" * 100, ["x" * 64]),
        ("a\ud800b", ["a", "b"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    """Words are stemmed, Chinese, Japanese and Korean come in pairs, signs are left out."""
    assert terms(text) == expected


def test_a_korean_word_is_found_with_its_particle() -> None:
    """A word of two syllables is among the terms of any form of it, also as macOS writes it."""
    assert set(terms("환불")) <= set(terms("환불은 언제까지 되나요?"))
    assert terms(unicodedata.normalize("NFD", "환불은")) == terms("환불은")


@given(st.text(max_size=50))
def test_any_text_has_terms(text: str) -> None:
    """Nothing breaks them, and each term stands for itself again, but for stems."""
    for each in terms(text):
        assert each
        assert 0 <= term_hash(each) < 2**32


def test_terms_are_packed() -> None:
    """What is stored has a number a term, by hash, with its count, of which no more than 255 are told."""
    packed = packed_terms("b a b " + "c " * 300)
    numbers = struct.unpack(f"<{len(packed) // 8}Q", packed)
    expected = sorted([(term_hash("a"), 1), (term_hash("b"), 2), (term_hash("c"), 255)])
    assert [(each >> 32, each & 0xFFFFFFFF) for each in numbers] == expected
    assert packed_terms("") == b""


def test_hashes_stay() -> None:
    """What is in databases was made with these; another number here means that every file must be indexed anew."""
    assert term_hash("falcon") == 3090355692
    assert text_hash("A  text\n") == text_hash("A text") == 1108838235009692078


def test_threads_share_stemmers() -> None:
    """Terms are right from many threads at once."""
    texts = [f"running{chr(97 + number % 26)} nations {number} nestings" for number in range(400)]

    def stemmed(some: Iterable[str]) -> list[list[str]]:
        return [terms(each) for each in some]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(stemmed, [texts] * 4))
    assert all(each == found[0] for each in found)
    assert found[0][0] == ["runninga", "nation", "0", "nest"]
