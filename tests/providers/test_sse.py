"""Server-sent events as the HTML standard reads them, in any pieces."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable


def read(*chunks: bytes) -> list[bytes]:
    """Return the data of all events in the pieces."""
    decoder = SSEDecoder()
    return [data for chunk in chunks for data in decoder.feed(chunk)] + decoder.close()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: one\n\n", [b"one"]),
        (b"data:one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data:  indented\n\n", [b" indented"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:\n\n", [b""]),
        (b"event: ping\nid: 3\nretry: 9\ndata: x\n\n", [b"x"]),
        (b": comment\n\n:\n\ndata: x\n: comment\n\n", [b"x"]),
        (b"database: x\nnonsense\n\n", []),
        (b"\n\n\ndata: x\n\n\n\n", [b"x"]),
        (b"\xef\xbb\xbfdata: x\n\n", [b"x"]),
        (b"data: x", [b"x"]),
        (b"data: x\n", [b"x"]),
        (b"", []),
    ],
)
def test_events(stream: bytes, events: list[bytes]) -> None:
    """Each field, comment and blank line does what the standard says; a last event may lack its blank line."""
    assert read(stream) == events


def test_all_line_ends() -> None:
    """Line feed, carriage return, and both together each end one line."""
    assert read(b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\r") == [b"a\nb\nc", b"d"]


def test_line_end_split() -> None:
    """A carriage return and its line feed are one line end in two reads as well, even with an empty read between."""
    assert read(b"data: a\r", b"", b"\ndata: b\r", b"\n\r", b"\n") == [b"a\nb"]


def test_byte_order_mark_split() -> None:
    """A byte order mark counts wherever it is split, and only at the start."""
    assert read(b"\xef", b"\xbb", b"\xbfdata: a\n\n", b"\xef\xbb\xbfdata: b\n\n") == [b"a"]


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut bytes at the given places."""
    places = [0, *sorted(place % (len(data) + 1) for place in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(
    st.lists(st.sampled_from([b"data: a", b"data:", b": x", b"id", b"", b"\r", b"\n", b"\r\n", b"\xed\x95\x9c"])),
    st.lists(st.integers(min_value=0)),
)
def test_pieces_make_no_difference(parts: list[bytes], cuts: list[int]) -> None:
    """However a stream is cut, empty reads included, the events are the same."""
    stream = b"".join(parts)
    assert read(*pieces(stream, cuts)) == read(stream)
