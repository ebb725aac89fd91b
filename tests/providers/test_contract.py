"""What holds for every recording of every provider, however its bytes arrive and wherever they stop."""

from __future__ import annotations

import random
import re
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.grammar import check_grammar
from tests.providers.replay import DECODERS, RECORDINGS, recorded, replay, told

from agentbench.protocol import Response, collect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.providers.replay import Shape, Told

EXPECTED: dict[str, tuple[Shape, Told]] = {
    f"{folder}/{name}": expected
    for folder in DECODERS
    for name, expected in import_module(f"tests.providers.expected_{folder}").EXPECTED.items()
}
EVENT_STREAMS = [name for name in EXPECTED if name.endswith((".sse", ".json"))]
"""The recordings of server-sent events, or of what becomes one."""

every_recording = pytest.mark.parametrize("name", EXPECTED)


def response(name: str, chunks: Iterable[bytes]) -> Response:
    """Return the response that the pieces make, once their events have passed the grammar."""
    events = replay(name.partition("/")[0], chunks)
    check_grammar(events)
    return collect(events)


def without_ids(answer: Response) -> bytes:
    """Return a response as JSON as it would be at any time, with any random ids."""
    return re.sub(rb"_[0-9a-f]{32}", b"_", msgspec.json.encode(msgspec.structs.replace(answer, created_at=0)))


def in_random_pieces(data: bytes, seed: int) -> list[bytes]:
    """Cut bytes into pieces of 1 to 40."""
    sizes = random.Random(seed)  # noqa: S311 - the same pieces in every run
    pieces = []
    while data:
        size = sizes.randint(1, 40)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def test_every_recording_is_expected() -> None:
    """The tables have a row for each file."""
    files = {f"{path.parent.name}/{path.name}" for path in RECORDINGS.glob("*/*.*")}
    assert set(EXPECTED) == files


@every_recording
def test_whole(name: str) -> None:
    """A recording read at once tells what the table says, in that order of items."""
    answer = response(name, [recorded(name)])
    assert (tuple(type(item) for item in answer.output), told(answer)) == EXPECTED[name]


@every_recording
def test_byte_by_byte(name: str) -> None:
    """One byte a read makes no difference, though it splits every frame, line end and character."""
    data = recorded(name)
    whole = without_ids(response(name, [data]))
    assert without_ids(response(name, (bytes([byte]) for byte in data))) == whole


@every_recording
def test_random_pieces(name: str) -> None:
    """Reads of random sizes make no difference."""
    data = recorded(name)
    whole = without_ids(response(name, [data]))
    assert [without_ids(response(name, in_random_pieces(data, seed))) for seed in range(5)] == [whole] * 5


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.replace(b"\n\n", b"\n\n: a comment\n\n"),
        lambda data: data.replace(b"data: ", b": a comment\nid: 1\nretry: 10\ndata:"),
        lambda data: b"\xef\xbb\xbf" + data,
    ],
    ids=["CRLF", "CR", "comments", "other fields", "byte order mark"],
)
@pytest.mark.parametrize("name", EVENT_STREAMS)
def test_other_frames(name: str, change: Callable[[bytes], bytes]) -> None:
    """Line ends, comments, other fields and a byte order mark make no difference, in pieces as well."""
    whole = without_ids(response(name, [recorded(name)]))
    changed = change(recorded(name))
    assert changed != recorded(name)
    assert without_ids(response(name, in_random_pieces(changed, seed=1))) == whole


@every_recording
def test_cut_off(name: str) -> None:
    """A connection dropped at any byte fails the response, or ends it as it was to end if that was said before."""
    data = recorded(name)
    whole = told(response(name, [data]))
    cuts = [told(response(name, [data[:end]])) for end in range(0, len(data), 7)]
    statuses = [cut.status for cut in cuts]
    ended = statuses.index(whole.status) if whole.status in statuses else len(cuts)
    assert statuses == ["failed"] * ended + [whole.status] * (len(cuts) - ended)
    assert all(whole.text.startswith(cut.text) for cut in cuts)
    assert all(cut.why == "The upstream closed the stream before the answer was complete." for cut in cuts[:ended])
