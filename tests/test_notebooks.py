"""The notebooks run, headless and offline; and their files hold what people look at where there is no kernel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tools import run_notebooks
from tools.run_notebooks import KERNEL, LARGEST, MACHINE_PATH, NOTEBOOKS, OFFLINE, Run, cleaned, code_cells, texts

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
NAMES = [path.stem for path in FILES]
LOOKS_LIKE_A_KEY = re.compile(r"sk-[0-9a-zA-Z]{9,}|eyJ[\w-]{20,}")  # the list of keys shows how one begins
ADDRESS_IN_MEMORY = re.compile(r"0x[0-9a-f]{8,}")


@cache
def ran(name: str) -> Run:
    """Run a notebook, once however many tests look at it."""
    return run_notebooks.run(NOTEBOOKS / f"{name}.ipynb")


@cache
def saved(name: str) -> NotebookNode:
    """Return a notebook as it lies in git."""
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def shown(name: str) -> dict[str, str]:
    """Return what each cell shows as text, by the number in its id."""
    return {
        cell.id.rpartition("-")[2]: "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs
        )
        for cell in code_cells(ran(name).notebook)
    }


# -- they run -------------------------------------------------------------------------------------------------------


@pytest.mark.local_model
@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name: str) -> None:
    """A notebook runs from top to bottom with no key: no error, nothing on stderr, nobody else asked."""
    assert ran(name).faults == ()


@pytest.mark.local_model
@pytest.mark.parametrize("name", NAMES)
def test_saved_outputs_are_those_of_a_run(name: str) -> None:
    """In the file each cell shows something if it does in a run, in the same forms."""

    def forms(notebook: NotebookNode) -> dict[str, list[list[str]]]:
        return {
            cell.id: [sorted(output.get("data", ["text"])) for output in cell.outputs] for cell in code_cells(notebook)
        }

    assert forms(saved(name)) == forms(cleaned(ran(name).notebook))


@pytest.mark.local_model
def test_the_first_one_answers() -> None:
    """The first notebook's answer names who gave it."""
    assert "— local/smollm2-135m-instruct · " in shown("01_first_chat")["02"]


@pytest.mark.local_model
def test_one_ledger_has_all_clients() -> None:
    """In the second, two clients come without a socket and the others over HTTP."""
    told = shown("02_gateway_inside")
    assert told["18"].count("no socket") == 2
    assert told["18"].count("HTTP") == 4 - ("no curl" in told["12"])


@pytest.mark.local_model
def test_who_wins_is_told() -> None:
    """In the third, each setting names the line that set it, and no key is shown."""
    told = shown("03_config_and_provenance")
    assert re.search(r"holds +large +all +agentbench\.yaml:18", told["08"])
    assert re.search(r"X-Agent +Bearer \*+", told["12"])


@pytest.mark.local_model
def test_files_are_found() -> None:
    """In the fifth, passages are found by letters and by meaning in both languages, and citations name the files."""
    told = shown("05_files_and_knowledge")
    best = [next(line for line in told[each].splitlines() if line.startswith("0 ")) for each in ("07", "08", "09")]
    assert [line.split()[1] for line in best] == ["machine.docx", "ferry.md", "김치.txt"]
    assert told["18"].startswith("[('machine.docx, Espresso")
    assert told["18"].endswith("('김치.txt', '[1]')]")


@pytest.mark.local_model
def test_assistants_answer() -> None:
    """In the sixth, an old notebook answers, streams, calls functions and searches a file over HTTP."""
    told = shown("06_assistants")
    assert told["07"].strip()
    assert told["09"].startswith("tutor > ")
    assert "get_wind({\"harbour\":\"Aldwick\"}) = {'harbour': 'Aldwick', 'force': 3}" in told["12"]
    assert told["12"].endswith("a good time to sail.")
    assert told["14"] == "completed 1\n"
    assert "ferry.md" in told["18"]
    assert "sailor" in told["20"]
    assert all(name in told["21"] for name in ("Math Tutor", "Sailor", "Ferry Guide"))
    assert "ferry.md · Ferry to Skerrin Island" in told["22"]


def test_one_line_differs() -> None:
    """What a notebook from before would have to change is the client's line; the rest knows nothing of agentbench."""
    source = "\n".join(cell.source for cell in code_cells(saved("06_assistants")))
    old = source.partition("from openai import OpenAI\n")[2].partition("%agent usage")[0]
    assert old.count("server.url") == old.count("api_key") == 1
    assert "bench" not in old


@pytest.mark.local_model
def test_a_replay_is_the_same() -> None:
    """In the seventh, the replay has the same events, the key isn't on the cassette, and a miss tells what differs."""
    told = shown("07_events_and_replay")
    assert told["08"].endswith("with the key: False\n")
    assert told["17"] == "the same events: True\n"
    assert "The nearest differs in body.messages[0].content" in told["19"]


@pytest.mark.local_model
def test_a_cassette_answers_all() -> None:
    """In the eighth, every answer comes from the cassette."""
    assert re.search(r"replay +55 +0 +0", shown("08_compare_and_sweep")["13"])


@pytest.mark.local_model
def test_tools_run() -> None:
    """In the ninth, functions and the MCP server run, and a call without a yes doesn't."""
    told = shown("09_tools_and_mcp")
    assert '"high":"15:25"' in told["05"]
    assert told["09"] == "Error: the person declined this call.\nBerth 7 in Aldwick for 2 nights.\n"
    assert "In harbour: Otter, Puffin." in told["13"] or "In harbour: Puffin, Otter." in told["13"]


# -- what would be wrong is seen ------------------------------------------------------------------------------------


REACH = "import urllib.request\ntry: urllib.request.urlopen('http://example.org')\nexcept OSError: pass"
RAISED = "Cell cell-1 failed: ZeroDivisionError: division by zero"
REACHED = "It tried to reach another machine: getaddrinfo another-machine.invalid"
USAGE = "Cell cell-1 wrote to stderr: UsageError: Line magic function `%nonsense` not found."


@pytest.mark.parametrize(
    ("sources", "faults"),
    [([REACH, "1 / 0", "2 / 0"], (RAISED, REACHED)), (["1", "%nonsense"], (USAGE,))],
    ids=["raised", "usage"],
)
def test_faults_are_found(sources: list[str], faults: tuple[str, ...], tmp_path: Path) -> None:
    """A cell that fails, a usage error, and a try to reach another machine, caught or not, are told."""
    cells = [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "wrong.ipynb")
    assert run_notebooks.run(tmp_path / "wrong.ipynb").faults == faults


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80))",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "import asyncio; asyncio.run(asyncio.open_connection('192.0.2.1', 80))",
    ],
)
def test_other_machines_are_refused(attempt: str, tmp_path: Path) -> None:
    """Under the guard no connection and no look-up leaves the machine, and each is written down."""
    log = tmp_path / "log"
    guarded = os.environ | {"PYTHONPATH": str(OFFLINE), "OFFLINE_LOG": str(log)}
    command = [sys.executable, "-c", f"import socket; {attempt}"]
    done = subprocess.run(command, env=guarded, capture_output=True, text=True, check=False)
    assert "Offline: " in done.stderr
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1


def test_live_views_are_left_out() -> None:
    """What only a kernel can fill is not saved; what stands beside it is."""
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Chat()"}
    outputs = [
        {"output_type": "display_data", "data": dict(view), "metadata": {}},
        {"output_type": "display_data", "data": view | {"text/html": "<p>record"}, "metadata": {}},
    ]
    notebook = new_notebook(cells=[new_code_cell("chat", outputs=[*map(nbformat.from_dict, outputs)])])
    notebook.metadata["widgets"] = {"state": "large"}
    kept = cleaned(notebook)
    assert [sorted(output.data) for output in kept.cells[0].outputs] == [["text/html", "text/plain"]]
    assert "widgets" not in kept.metadata


def test_machine_paths_are_not_saved(tmp_path: Path) -> None:
    """A notebook that shows a path of this machine is not saved, and the cell is named."""
    output = nbformat.v4.new_output("stream", text=f"in {tmp_path}/x")
    notebook = new_notebook(cells=[new_code_cell("x", id="cell-0", outputs=[output])])
    path = tmp_path / "x.ipynb"
    [fault] = run_notebooks.save(path, notebook)
    assert fault.startswith("Cell cell-0 shows a path of this machine")
    assert not path.exists()


# -- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_file_is_clean(name: str) -> None:
    """A file is small, valid, and says nothing of the machine, its times or its widgets; no cell failed."""
    notebook, path = saved(name), NOTEBOOKS / f"{name}.ipynb"
    nbformat.validate(notebook)
    assert path.stat().st_size < LARGEST
    assert notebook.metadata == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    assert [cell.id for cell in notebook.cells if cell.metadata] == []
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "display_data", "execute_result"}
    text = "\n".join(texts([notebook.cells]))
    assert [each.findall(text) for each in (MACHINE_PATH, LOOKS_LIKE_A_KEY, ADDRESS_IN_MEMORY)] == [[], [], []]


@pytest.mark.parametrize("name", NAMES)
def test_cells_have_names(name: str) -> None:
    """Cells have ids that last: the notebook's word and a number, each once; cells that ran are numbered in order."""
    ids = [cell.id for cell in saved(name).cells]
    assert len(set(ids)) == len(ids)
    assert {re.sub(r"-\d\d$", "", each) for each in ids} == {ids[0].rpartition("-")[0]}
    counts = [cell.execution_count for cell in code_cells(saved(name))]
    assert counts == list(range(1, len(counts) + 1))
