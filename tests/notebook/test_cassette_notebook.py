"""A notebook that was recorded on one machine, replayed on what looks like another one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from tests.notebook.upstream import Upstream, upstream

if TYPE_CHECKING:
    from pathlib import Path

KEY, GATE = "k3y-of-this-machine-01", "g4te-of-this-machine-02"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
PATIENT = "patient-1234"
CONFIG = """\
endpoints:
  custom:
    - name: acme
      baseURL: "${ACME_URL}"
      apiKey: "${ACME_KEY}"
      headers: {X-Gate: "${ACME_GATE}", X-Plain: plain-and-long}
      models: {default: [m]}
      titleConvo: true
agents:
  - {id: guide, endpoint: acme, model: m}
"""
CELLS = (
    "%load_ext agentbench\n%agent cassette MODE demo.jsonl --hide patient-\\d+",
    "%agent chat --to one Why?",
    f"%agent chat Tell me of {TOKEN} and {PATIENT}.",
    'def double(x: int) -> int:\n    """Double a number."""\n    return 2 * x',
    "%agent chat --tools double --to two Twice four?",
    """rows = %agent usage --full
print(rows.drop(columns=[*rows.filter(regex="^id$|_id$|time|duration|second")]).to_json())""",
    "print([each.events[['type', 'output_index', 'delta']].to_json() for each in (one, two)])",
    "%agent cassette off",
    "import agentbench\nprint([each.title for each in agentbench.get_workbench().conversations()])",
)
MISS = "%agent cassette replay demo.jsonl\n%agent chat -m acme/m Was this asked?"
_SECONDS = re.compile(r"\d+(\.\d+)?\s?(ms|s)\b")


class Played(NamedTuple):
    """What a notebook's run left: its outputs without times, what its last cell's error said, and the file."""

    outputs: list[Any]
    error: str
    file: str


def played(folder: Path, mode: str, cells: tuple[str, ...], **environment: str) -> Played:
    """Run a notebook in that folder, in a process with that environment."""
    (folder / "agentbench.yaml").write_text(CONFIG, encoding="utf-8")
    notebook = new_notebook(cells=[new_code_cell(each.replace("MODE", mode)) for each in cells])
    client = NotebookClient(notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}})
    env = os.environ | {"AGENTBENCH_CONFIG": str(folder / "agentbench.yaml"), "AGENTBENCH_HOME": str(folder / "data")}
    client.execute(env=env | environment)
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    errors = [output.evalue for output in outputs if output.output_type == "error"]
    shown = [_kept(output) for output in outputs if output.output_type != "error"]
    return Played(shown, "\n".join(errors), (folder / "demo.jsonl").read_text(encoding="utf-8"))


def _kept(output: Any) -> Any:
    """Return what the file keeps of an output, without times, and with what a cassette hides hidden."""
    kept = msgspec.json.encode(output.get("data") or output.text).decode()
    for secret in (f"Bearer {KEY}", GATE, "plain-and-long", TOKEN, PATIENT):
        kept = kept.replace(secret, "****")
    return msgspec.json.decode(_SECONDS.sub("N s", kept))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Played, Upstream]:
    """Record a notebook here, and replay it in another time zone, home, name, port and with another key."""
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    with upstream() as server:
        recorded = played(here, "record", CELLS, ACME_URL=server.url, ACME_KEY=KEY, ACME_GATE=GATE, TZ="UTC")
    (there / "demo.jsonl").write_text(recorded.file, encoding="utf-8")
    elsewhere = {"TZ": "Asia/Seoul", "HOME": str(there), "USER": "somebody", "LOGNAME": "somebody"}
    keys = {"ACME_URL": "http://127.0.0.1:9/other/v2", "ACME_KEY": "of-another-m4chine", "ACME_GATE": "another-g4te-98"}
    replayed = played(there, "replay", (*CELLS, MISS), **elsewhere, **keys)
    return recorded, replayed, server


def test_the_outputs_are_the_same(runs: tuple[Played, Played, Upstream]) -> None:
    """Answers, events, the ledger's rows and the title are what they were, but for ids and times."""
    recorded, replayed, server = runs
    assert recorded.error == ""
    assert len(server.seen) == 5  # three questions, one of them with a tool, and a title
    inserted, *rest, out, titles = recorded.outputs
    assert replayed.outputs[1 : len(recorded.outputs) - 2] == rest
    assert replayed.outputs[len(recorded.outputs) - 1] == titles == "['A Named Talk']\n"
    assert "| demo.jsonl | record | 0 | 6 | 0 |" in out["text/markdown"]  # the tool's result too, though it runs again
    assert "| demo.jsonl | record | 0 | 0 | 0 |" in inserted["text/markdown"]
    assert "| demo.jsonl | replay | 5 | 0 | 0 |" in replayed.outputs[len(recorded.outputs) - 2]["text/markdown"]


def test_a_miss_is_told(runs: tuple[Played, Played, Upstream]) -> None:
    """A cell that asks what isn't on the cassette fails with what it asked, and how that differs."""
    _, replayed, _ = runs
    assert replayed.error.startswith("demo.jsonl holds no such request: acme: POST /chat/completions with ")
    assert "Was this asked?" in replayed.error


def test_the_file_holds_no_secrets(runs: tuple[Played, Played, Upstream]) -> None:
    """No key, header, token, cookie, named pattern, address or home is on the cassette; a replay doesn't change it."""
    recorded, replayed, server = runs
    secrets = (KEY, GATE, TOKEN, TOKEN.split(".")[1], "patient-", "c00kie", str(server.server_port), "plain-and-long")
    assert [each for each in (*secrets, os.environ["HOME"]) if each in recorded.file] == []
    assert replayed.file == recorded.file
