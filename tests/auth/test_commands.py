"""`agentbench users` and `agentbench keys`."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agentbench.__main__ import main
from agentbench.auth.commands import moment
from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Type into the standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture
def ann(typed: Callable[[str], None], home: Path) -> str:
    """Add a user."""
    typed("long enough\n")
    assert main(["users", "add", "Ann@example.org", "--role", "ADMIN", "--password-stdin"]) == 0
    return "ann@example.org"


def test_users(ann: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They are listed with role and state; a removed one stays in the list."""
    assert main(["users", "add", "bob@example.org", "--no-password"]) == 0
    assert main(["users", "remove", "BOB@example.org"]) == 0
    assert main(["users", "list"]) == 0
    heading, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert heading == ["EMAIL", "ROLE", "STATE", "ISSUER", "ADDED"]
    assert [row[:3] for row in rows] == [[ann, "ADMIN", "active"], ["bob@example.org", "USER", "removed"]]


def test_a_user_twice(ann: str, typed: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    """The second time it is an error."""
    typed("long enough\n")
    assert main(["users", "add", ann, "--password-stdin"]) == 1
    assert capsys.readouterr().err == f"agentbench: There is a user {ann} already.\n"


def test_typed_passwords(ann: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A password is typed twice, the same both times, and not shown."""
    for answers, status in ((["one password", "another one"], 1), (["one password"] * 2, 0)):
        given = iter(answers)
        monkeypatch.setattr("getpass.getpass", lambda _, given=given: next(given))
        assert main(["users", "password", ann]) == status
    out = capsys.readouterr()
    assert out == ("", "agentbench: The two passwords differ. Try again.\n")


def test_keys(ann: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The key is all that `create` prints; `list` shows how it begins; a revoked one is gone."""
    wish = ["--name", "laptop", "--expires", "30d", "--agents", "assistant", "--rpm", "60"]
    assert main(["keys", "create", "--user", ann, *wish]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"sk-[0-9a-f]{64}\n", out)
    key_id = re.search(r"key_\w+", err)[0]  # type: ignore[index] - the assertion is that it is there
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert listed.splitlines()[1].split()[:6] == [key_id, f"{out[:8]}…", ann, "laptop", "assistant", "60"]
    assert out.strip() not in listed
    assert main(["keys", "revoke", key_id]) == 0
    assert main(["keys", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["keys", "revoke", key_id]) == 1
    assert "There is no key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "eve@example.org"], "There is no user 'eve@example.org'"),
        (["--agents", "nobody"], "There is no agent 'nobody'"),
        (["--agents", ","], "at least one agent"),
        (["--expires", "2020-01-01"], "lies in the past"),
        (["--expires", "soon"], "'soon' is no time"),
        (["--rpm", "0"], "requests per minute"),
        (["--config", "nowhere.yaml"], "There is no file 'nowhere.yaml'"),
    ],
)
def test_wrong_keys(ann: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong is said in a line, and nothing is made."""
    assert main(["keys", "create", "--user", ann, "--name", "x", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_a_config(ann: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--config` says which agents there are."""
    config = tmp_path / "mine.yaml"
    config.write_text("agents: [{id: guide}]")
    wish = ["keys", "create", "--user", "kernel@localhost", "--name", "x", "--agents", "guide"]
    assert main([*wish, "--config", str(config)]) == 0
    assert main(wish) == 1
    assert capsys.readouterr().out.startswith("sk-")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", NOW + timedelta(hours=12)),
        ("30d", NOW + timedelta(days=30)),
        ("2w", NOW + timedelta(weeks=2)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00+09:00", datetime(2027, 1, 31, 3, tzinfo=UTC)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    """A span from now, a date, or a time."""
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "d", "-3d", "3y", "1.5d", "tomorrow", "9999999d"])
def test_what_is_no_moment(text: str) -> None:
    """It is refused."""
    with pytest.raises(InvalidRequest, match="is no time"):
        moment(text, NOW)
