"""`agentbench probe`, as a pipeline runs it: its output and its exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from tests.providers.speaker import serving
from tests.surfaces.scripts import config
from tests.surfaces.served import served

from agentbench import Workbench
from agentbench.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

BROKEN = b'data: {"type": "response.created", "sequence_number": 0}\n\n'


@pytest.fixture
def good(tmp_path: Path) -> Iterator[str]:
    """Serve our own gateway."""
    with Workbench(config(), home=tmp_path) as bench, served(bench.app) as address:
        yield f"http://{address}"


@pytest.fixture
def bad() -> Iterator[str]:
    """Serve a stream that is wrong."""

    async def answer(_: Request) -> Response:
        return Response(BROKEN, media_type="text/event-stream")

    with serving(Starlette(routes=[Route("/responses", answer, methods=["POST"])])) as address:
        yield address


def test_a_good_server(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says how much came, and the status is 0."""
    assert main(["probe", good, "--model", "scripted/text", "--protocol", "chat", "--prompt", "Hi"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("6 chunks, ")
    assert told.out.endswith(" s, no violation.\n")
    assert told.err == ""


def test_a_bad_server(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each violation, the summary, and the status 1."""
    assert main(["probe", bad, "--model", "m"]) == 1
    told = capsys.readouterr()
    heading, *rows, last = told.out.splitlines()
    assert heading.split() == ["RULE", "EVENT", "MESSAGE"]
    assert any(row.startswith("required-keys") and "lacks response." in row for row in rows)
    assert last.startswith("1 event, ")
    assert told.err == f"agentbench: {bad} breaks rules of its protocol.\n"


def test_a_key_that_is_no_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """A key in place of its variable's name is refused, and not repeated."""
    assert main(["probe", "http://127.0.0.1:9", "--key", "sk-abcdef123456"]) == 1
    assert "sk-abcdef" not in capsys.readouterr().err
