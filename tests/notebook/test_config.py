"""`%agent config`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

TEXT = """\
endpoints:
  local:
    titleModel: own   # ours
    headers: {X-Team: sky, X-Secret-Key: "abc"}
  all:
    titleModel: everybody
"""


@pytest.fixture
def configured(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a shell whose workbench reads a file."""
    monkeypatch.chdir(tmp_path)
    Path("agentbench.yaml").write_text(TEXT)
    shell.run("from agentbench import Workbench\nbench = Workbench('agentbench.yaml')")
    shell.run("%agent use")
    shell.ip.magics_manager.registry["AgentMagics"].session.use_bench(shell.ip.user_ns["bench"])
    return shell


def test_everything_that_holds(configured: Shell) -> None:
    """A DataFrame, a row a setting, with who set it where."""
    frame = configured.run("%agent config")
    row = frame[(frame.endpoint == "local") & (frame.key == "titleModel")].iloc[0]
    assert tuple(row) == ("local", "titleModel", "everybody", "all", "agentbench.yaml:6")
    assert list(configured.run("%agent config LOCAL").endpoint.unique()) == ["local"]


def test_explain(configured: Shell) -> None:
    """A table: the value, the layer and place that set it, and what it overrode."""
    table = configured.run("%agent config explain local.titleModel")
    assert table.columns[0] == "local.titleModel"
    assert table.rows == [
        ["holds", "everybody", "all", "agentbench.yaml:6"],
        ["overrides", "own", "endpoint", "agentbench.yaml:3"],
        ["overrides", "", "default", "built in"],
    ]


def test_explain_headers(configured: Shell) -> None:
    """Each header has its rows; what may be secret is masked."""
    table = configured.run("%agent config explain local.headers")
    assert table.rows[1:] == [
        ["headers.X-Team holds", "sky", "endpoint", "agentbench.yaml:4"],
        ["headers.X-Secret-Key holds", "****", "endpoint", "agentbench.yaml:4"],
    ]


def test_preview_of_headers(configured: Shell) -> None:
    """They are shown as they would be sent, but for secrets."""
    table = configured.run("%agent config headers local")
    assert table.rows == [["X-Team", "sky"], ["X-Secret-Key", "****"]]


def test_set_for_the_session(configured: Shell) -> None:
    """The value is read as YAML; the file stays as it is."""
    table = configured.run("%agent config set local.streamRate=25")
    assert table.rows[0] == ["holds", "25", "session", "this session"]
    assert table.note == "Set for this session; with --save it goes to the file."
    assert configured.ip.user_ns["bench"].catalog.endpoint("local").stream_rate == 25
    assert Path("agentbench.yaml").read_text() == TEXT
    assert configured.run("%agent config unset local.streamRate").rows[0][2] == "default"


@pytest.mark.parametrize("line", ["set local.titleModel=new --save", "--save set local.titleModel=new"])
def test_set_in_the_file(configured: Shell, line: str) -> None:
    """The comment stays, and it is said that something else overrides the value."""
    table = configured.run(f"%agent config {line}")
    assert table.note == "Saved in agentbench.yaml. But all overrides it."
    assert Path("agentbench.yaml").read_text() == TEXT.replace("own  ", "new  ")


def test_set_for_all(configured: Shell) -> None:
    """There is no one endpoint to show."""
    assert configured.run("%agent config set all.titleModel=x").rows == [["all.titleModel", "x"]]


def test_set_to_a_variable(configured: Shell) -> None:
    """A secret comes from a variable, shows nowhere, and doesn't go to the file."""
    configured.run("from agentbench.config import Secret\nkey = Secret('sk-1234567890')")
    shown = configured.run("%agent config set local.headers.X-Other-Key={key}")
    assert "sk-1234567890" not in repr(shown)
    error = configured.fail("%agent config set local.headers.X-Other-Key={key} --save")
    assert "A secret doesn't belong in the file." in str(error)


def test_edit(configured: Shell) -> None:
    """A form, opened at the endpoint that is named; a terminal gets the table."""
    configured.run("tuner = %agent config edit LOCAL")
    assert configured.ip.user_ns["tuner"].endpoint == "local"
    configured.run("%agent config edit")
    assert "local.titleModel" in configured.printed
    assert "There is no endpoint 'nowhere'" in str(configured.fail("%agent config edit nowhere"))


def test_reload(configured: Shell) -> None:
    """The file is read again; a wrong one is refused and changes nothing."""
    Path("agentbench.yaml").write_text(TEXT.replace("everybody", "nobody"))
    frame = configured.run("%agent config reload")
    assert "nobody" in list(frame.value)
    Path("agentbench.yaml").write_text(TEXT.replace("everybody", "[]"))
    assert "endpoints.all.titleModel: expected text, found a list" in str(configured.fail("%agent config reload"))
    assert configured.run("%agent config explain local.titleModel").rows[0][1] == "nobody"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set local.titleModel", "Write %agent config set ENDPOINT.KEY=VALUE"),
        ("explian local.titleModel", "Did you mean explain?"),
        ("nowhere", "There is no endpoint 'nowhere'."),
        ("set local.titleModel=[", "'[' is not a value in YAML."),
        ("explain local", "Write ENDPOINT.KEY"),
    ],
)
def test_slips(configured: Shell, line: str, expected: str) -> None:
    """Each says what to write."""
    assert expected in str(configured.fail(f"%agent config {line}"))
