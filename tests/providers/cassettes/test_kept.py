"""What a cassette's file holds: no secret, whole blocks, and the same lines for the same traffic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx2
import msgspec
import pytest
from tests.providers.cassettes.test_played import ACME, BODY, EVENTS, KEY, Nobody, Pieces, asked

from agentbench.config import Secret
from agentbench.errors import InvalidRequest
from agentbench.providers.cassettes.cassette import Cassette
from agentbench.providers.cassettes.exchange import Exchange, Piece, Request
from agentbench.providers.cassettes.file import FIRST_LINE, block, read

if TYPE_CHECKING:
    from pathlib import Path

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
HEADER = "gate-secret-0123456789"
PATTERN = "patient-4711"
AT = msgspec.structs.replace(ACME, headers={"x-gate": HEADER})


async def recorded(file: Path, *pieces: bytes, body: object = None, hide: tuple[str, ...] = ()) -> str:
    """Record one answer; return the file's text."""
    cassette = Cassette(file, "record", hide=hide)
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=EVENTS, stream=Pieces(pieces)))
    await asked(cassette, answer, {"model": "small", "input": body}, AT)
    cassette.close()
    return text_of(file)


def text_of(file: Path) -> str:
    """Return what is in a file."""
    return file.read_text(encoding="utf-8")


@pytest.mark.anyio
@pytest.mark.parametrize("secret", [KEY, HEADER, JWT, PATTERN, "sk-proj-abcdefgh12345678"])
async def test_no_secret(tmp_path: Path, secret: str) -> None:
    """Keys, headers, tokens and named patterns aren't in the file, wherever they stood; it still plays."""
    file, half = tmp_path / "demo.jsonl", len(secret) // 2
    said = [{"delta": f"It is {secret[:half]}"}, {"delta": f"{secret[half:]}."}, {"whole": f"{secret}!"}]
    pieces = [b"data: " + msgspec.json.encode(each) + b"\n\n" for each in said]
    text = await recorded(file, *pieces, body=f"Keep {secret} safe", hide=(r"patient-\d+",))
    assert secret not in text
    assert secret[half:] + "." not in text
    replayed = Cassette(file, "replay", hide=(r"patient-\d+",))
    assert await asked(replayed, Nobody(), {"model": "small", "input": f"Keep {secret} safe"}, AT)


@pytest.mark.anyio
async def test_cut_anywhere(tmp_path: Path) -> None:
    """A secret that is cut by the borders of what came is hidden, wherever they are."""
    line = b'data: {"delta": "It is ' + KEY.encode() + b'."}\n\n'
    for cut in range(20, len(line) - 4, 5):
        text = await recorded(tmp_path / f"{cut}.jsonl", line[:cut], line[cut:], body="Why?")
        joined = "".join(re.findall(r'"text":"((?:[^"\\]|\\.)*)"', text))
        assert KEY not in joined
        assert KEY[-8:] not in joined


@pytest.mark.anyio
async def test_another_key_still_matches(tmp_path: Path) -> None:
    """What was hidden in a request is hidden in the one that is looked for, whatever the key is there."""
    file = tmp_path / "demo.jsonl"
    await recorded(file, b"data: {}\n\n", body=f"My key is {KEY}")
    other = "an-0ther-key-of-9999"
    there = msgspec.structs.replace(AT, api_key=Secret(other))
    body = {"model": "small", "input": f"My key is {other}"}
    assert await asked(Cassette(file, "replay"), Nobody(), body, there) == [b"data: {}\n\n"]


@pytest.mark.anyio
async def test_no_machine(tmp_path: Path) -> None:
    """Neither host, port nor any header of the request is in the file."""
    text = await recorded(tmp_path / "demo.jsonl", b"data: {}\n\n", body="Why?")
    assert [
        each for each in ("127.0.0.1", "http", "authorization", "user-agent", "x-gate") if each in text.lower()
    ] == [
        "http"  # the kind of the request
    ]


@pytest.mark.anyio
async def test_same_traffic_same_lines(tmp_path: Path) -> None:
    """The same traffic makes the same lines, but for the seconds."""
    texts = [await recorded(tmp_path / name, b"data: {}\n\n", b"data: [DONE]\n\n", body="Why?") for name in ("a", "b")]
    first, second = (re.sub(r'"seconds":[\d.]+', "", text) for text in texts)
    assert first == second
    assert first.count("\n") == 6  # the first line, the request, the status, two pieces, the end


def test_a_last_block_that_is_not_whole(tmp_path: Path) -> None:
    """What a crash cut off is left out, with a warning; what is recorded next goes in its place."""
    file = tmp_path / "demo.jsonl"
    whole = block(
        Exchange(request=Request(kind="tool", name="add", body={"x": 1}), pieces=(Piece(seconds=0, data="2"),))
    )
    for cut in (3, 60, len(whole) - 1):
        file.write_bytes(FIRST_LINE + whole + whole[:cut])
        with pytest.warns(UserWarning, match=r"The last recording of demo\.jsonl isn't whole"):
            cassette = Cassette(file, "auto")
        cassette.close()
    assert len(read(FIRST_LINE + whole, "demo.jsonl").exchanges) == 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a": 1}\n', "is not a cassette"),
        (b'{"object":"agentbench.cassette","version":2}\n', "is a cassette of version 2"),
        (FIRST_LINE + b"{nonsense\n{}\n", "line 2, is not a cassette's"),
        (FIRST_LINE + b'{"end":"complete"}\n', "line 2, is not a cassette's"),
    ],
)
def test_what_is_no_cassette(tmp_path: Path, data: bytes, told: str) -> None:
    """A file that is none, or of the future, or broken, is refused with the reason and the line."""
    file = tmp_path / "demo.jsonl"
    file.write_bytes(data)
    with pytest.raises(InvalidRequest, match=told):
        Cassette(file, "replay")


def test_nothing_to_replay(tmp_path: Path) -> None:
    """A replay of a file that isn't there says how to record it; a wrong pattern is refused."""
    with pytest.raises(InvalidRequest, match="%agent cassette record"):
        Cassette(tmp_path / "none.jsonl", "replay")
    with pytest.raises(InvalidRequest, match="is not a regular expression"):
        Cassette(tmp_path / "none.jsonl", "record", hide=("(",))


@pytest.mark.anyio
async def test_recording_anew(tmp_path: Path) -> None:
    """`record` replaces an older file once something came, and not before."""
    file = tmp_path / "demo.jsonl"
    before = await recorded(file, b"data: 1\n\n", body="Why?")
    Cassette(file, "record").close()
    assert text_of(file) == before
    assert "data: 1" not in await recorded(file, b"data: 2\n\n", body="Why?")
    assert BODY["model"] in text_of(file)
