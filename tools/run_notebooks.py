"""Run the notebooks from top to bottom, with no screen, no key and no network.

    python tools/run_notebooks.py [--save] [NAME…]

Each runs in a kernel and a home of its own. A cell that fails, a line on stderr, and a try to reach another machine
fail it. `--save` writes the outputs into the files, as `cleaned` leaves them. NAME is how a notebook's name begins.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import sys
import tempfile
import threading
import time
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parent.parent
NOTEBOOKS = PROJECT / "notebooks"
OFFLINE = Path(__file__).resolve().parent / "offline"  # its sitecustomize.py refuses connections

CELL_SECONDS = 120
LARGEST = 200_000  # bytes; what GitHub and a reviewer can still look at
MEGABYTE = 1_000_000

KEPT = "AGENTBENCH_CACHE"  # the weights of the local model
PRIVATE = re.compile(
    r"AGENTBENCH_|ANTHROPIC_|ASSISTANTS_|AWS_|AZURE_|BEDROCK_|GEMINI_|GOOGLE_|OLLAMA_|OPENAI_|OTEL_|JUPYTER|\w+_API_KEY$"
)
# Programs that know no audit hook ask a proxy that isn't there; those that know it are refused its name.
NOWHERE = "http://another-machine.invalid:9"
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
LOOPBACK = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost,::1")

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LIVE = "application/vnd.jupyter.widget-view+json"
CHART = "application/vnd.vegalite.v5+json"
MACHINE_PATH = re.compile(r"(?<![\w~.:/])/(?:root|home|work|tmp|usr|var|private|Users|opt)/|\b[A-Z]:\\\\")


@dataclass(frozen=True, slots=True)
class Run:
    """A notebook that ran: what came of it, how long it took, and what is wrong with it."""

    name: str
    notebook: NotebookNode
    seconds: float
    peak_bytes: int
    faults: tuple[str, ...]


class Meter:
    """Measures ten times a second how much memory a process and its children have; `peak` is the most, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()

    def start(self, process: int) -> None:
        """Begin to measure, on a thread of its own, until the process ends or `stop`."""
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def stop(self) -> None:
        """Measure no more."""
        self._ended.set()

    def _watch(self, process: int) -> None:
        while not self._ended.is_set() and psutil.pid_exists(process):
            self.peak = max(self.peak, memory(process))
            self._ended.wait(0.1)


def memory(process: int) -> int:
    """Return how much memory a process and its children have now, in bytes; what they share counts once on Linux."""
    total = 0
    try:
        parent = psutil.Process(process)
        family = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return 0
    for each in family:
        try:
            known = each.memory_full_info()
        except psutil.Error:  # it has just ended
            continue
        total += getattr(known, "pss", known.uss)
    return total


def main(arguments: list[str]) -> int:
    """Run the notebooks that are named, or all; return the exit status."""
    options = parser().parse_args(arguments)
    failed = 0
    for path in found(options.names):
        ran = run(path)
        print(f"{ran.name:28} {ran.seconds:6.1f} s {ran.peak_bytes / MEGABYTE:6.0f} MB", flush=True)
        faults = ran.faults or (save(path, ran.notebook) if options.save else ())
        for fault in faults:
            print(f"  {fault}", flush=True)
        failed += bool(faults)
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--save", action="store_true", help="write the outputs into the files")
    made.add_argument("names", nargs="*", metavar="NAME", help="which notebooks, by how their names begin")
    return made


def found(names: list[str]) -> list[Path]:
    """Return the notebooks whose names begin so, in their order."""
    chosen = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not names or path.name.startswith(tuple(names))]
    if not chosen:
        raise SystemExit(f"There is no notebook {' or '.join(names)} in {NOTEBOOKS.name}.")
    return chosen


# -- running --------------------------------------------------------------------------------------------------------


def run(path: Path) -> Run:
    """Run a notebook in a fresh kernel; what goes wrong is among the faults."""
    notebook = nbformat.read(path, as_version=4)
    meter, raised, began = Meter(), "", time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        client: Any = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            extra_arguments=["--log-level=ERROR"],  # it warns that loopback isn't encrypted
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.on_notebook_start = lambda notebook: meter.start(client.km.provisioner.pid)  # noqa: ARG005 - nbclient's signature
        try:
            client.execute(env=environment(folder))
        except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
            raised = str(error).strip()
        meter.stop()
        attempts = sorted(set(log.read_text(encoding="utf-8").splitlines())) if (log := folder / "log").exists() else []
    faults = [*complaints(notebook)] or ([raised] if raised else [])
    faults += [f"It tried to reach another machine: {attempt}" for attempt in attempts]
    return Run(path.stem, notebook, time.monotonic() - began, meter.peak, tuple(faults))


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a kernel: a home in the folder, no key or setting of the user's, and no network."""
    kept = {name: value for name, value in os.environ.items() if name == KEPT or not PRIVATE.match(name)}
    return {
        **kept,
        **PROXIES,
        **LOOPBACK,
        "AGENTBENCH_HOME": str(folder / "home"),
        "IPYTHONDIR": str(folder / "ipython"),
        "OFFLINE_LOG": str(folder / "log"),
        "PYTHONPATH": os.pathsep.join([str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


def complaints(notebook: NotebookNode) -> Iterator[str]:
    """Yield errors of cells, and what they wrote to stderr: usage errors of magics, which nbclient takes for well."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"Cell {cell.id} failed: {output.ename}: {output.evalue}"
            elif output.get("name") == "stderr":
                yield f"Cell {cell.id} wrote to stderr: {output.text.strip()}"


def code_cells(notebook: NotebookNode) -> list[Any]:
    """Return the cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# -- saving ---------------------------------------------------------------------------------------------------------


def save(path: Path, notebook: NotebookNode) -> tuple[str, ...]:
    """Write a notebook that ran over its file, unless something in it has no place there; return what has not."""
    kept = cleaned(notebook)
    text = nbformat.writes(kept) + "\n"
    faults = list(misplaced(kept))
    if len(text.encode()) > LARGEST:
        faults.append(f"It would have {len(text.encode())} bytes; {LARGEST} are the most.")
    if not faults:
        path.write_text(text, encoding="utf-8")
    return tuple(faults)


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as its file has it: what can be seen with no kernel, and nothing of machine and time."""
    kept = deepcopy(notebook)
    kept.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"})
    for cell in kept.cells:
        cell.metadata = NotebookNode()
    for cell in code_cells(kept):
        cell.outputs = [output for output in map(still, cell.outputs) if output is not None]
    return kept


def still(output: NotebookNode) -> NotebookNode | None:
    """Return an output without its live view, which only its own kernel could fill; None if nothing else is in it."""
    data = output.get("data", {})
    was_live = data.pop(LIVE, None) is not None
    if was_live and set(data) <= {"text/plain"}:  # that is the widget's name, not what it shows
        return None
    if CHART in data and "image/png" not in data:
        data["image/png"] = picture(data[CHART])
    return output


def picture(chart: dict[str, Any]) -> str:
    """Return a chart as a small PNG in base64, for readers that draw no Vega-Lite, such as GitHub."""
    import vl_convert
    from PIL import Image

    drawn = Image.open(BytesIO(vl_convert.vegalite_to_png(chart, vl_version="5.21", scale=1.5)))
    small = BytesIO()
    drawn.convert("RGB").quantize().save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def misplaced(notebook: NotebookNode) -> Iterator[str]:
    """Yield which outputs name a path of this machine."""
    for cell in code_cells(notebook):
        match = MACHINE_PATH.search("\n".join(texts(cell.outputs)))
        if match:
            yield f"Cell {cell.id} shows a path of this machine: {match.string[match.start() : match.start() + 80]!r}"


def texts(value: Any) -> Iterator[str]:
    """Yield all text in a JSON value, but for pictures."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from () if name.startswith("image/") else texts(each)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
