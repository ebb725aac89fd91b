"""Do here what Binder does: install, postBuild, start; then run the first notebook with no network and measure memory.

    python tools/try_binder.py [FOLDER]

The steps are those of binder/, in a copy of what git would have, with a virtual environment and a home of their own in
FOLDER: a temporary one, unless it is named, so that the next run finds the environment there. What follows runs in a
network namespace that has only loopback, where that is allowed; elsewhere, behind the guard of the notebooks' runs.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
BINDER = PROJECT / "binder"
NOTEBOOK = "notebooks/01_first_chat.ipynb"
MOST_BYTES = 1_500_000_000
START_SECONDS = 60
CELL_SECONDS = 120


def main(arguments: list[str]) -> int:
    """Take the steps; return the exit status."""
    if arguments[:1] == ["--inside"]:
        return inside(Path(arguments[1]), alone=arguments[2] == "alone")
    if arguments:
        return outside(Path(arguments[0]).resolve())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return outside(Path(folder))


# -- the build, with a network --------------------------------------------------------------------------------------


def outside(folder: Path) -> int:
    """Build, then start with no network; return the exit status."""
    repository = folder / "repository"
    copy(repository)
    python = installed(folder, repository)
    took("postBuild", ["binder/postBuild"], cwd=repository, env=environment(folder))
    command = [str(python), __file__, "--inside", str(folder)]
    alone = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0  # noqa: S607 - util-linux
    before = ["unshare", "-rn"] if alone else []
    print("network: none but loopback" if alone else "network: refused by a guard in each Python process", flush=True)
    return subprocess.call(
        [*before, *command, "alone" if alone else "guarded"], cwd=repository, env=environment(folder)
    )


def copy(repository: Path) -> None:
    """Copy what git has or would have: bundles of widgets are built anew, as in a clone."""
    shutil.rmtree(repository, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git there is
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(lambda each: (PROJECT / each).is_file(), listed.stdout.splitlines()):
        place = repository / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, place)


def installed(folder: Path, repository: Path) -> Path:
    """Return the Python of an environment with the requirements; made with the version of runtime.txt if it is here."""
    python = folder / "environment" / "bin" / "python"
    version = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    named = shutil.which(f"python{version}")
    fits = named and subprocess.run([named, "--version"], capture_output=True, check=False).returncode == 0
    if not python.exists():
        took("environment", [named if fits and named else sys.executable, "-m", "venv", str(folder / "environment")])
    shown = subprocess.run([str(python), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{shown}, where binder/runtime.txt says {version}", flush=True)
    took("install", [str(python), "-m", "pip", "install", "--quiet", "-r", "binder/requirements.txt"], cwd=repository)
    return python


def took(name: str, command: list[str], **options: Any) -> None:
    """Run a step of the build and print how long it took; raise with what it said if it fails."""
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout}{done.stderr}")
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of somebody who has just come: the new programs first, an empty home, no settings."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    private = ("AGENTBENCH_", "JUPYTER", "PYTHON", "IPYTHON", "XDG_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    if (settings := Path.home() / ".config" / "pip" / "pip.conf").is_file():
        kept.setdefault("PIP_CONFIG_FILE", str(settings))  # where postBuild may fetch from
    return kept | {"HOME": str(home), "PATH": f"{folder / 'environment' / 'bin'}:{os.environ['PATH']}"}


# -- the session, without -------------------------------------------------------------------------------------------


def inside(folder: Path, *, alone: bool) -> int:
    """Start the server as Binder does, run the notebook through it, print the memory; return the exit status."""
    from run_notebooks import MEGABYTE, OFFLINE, Meter  # with the new environment's packages

    if alone:
        raise_loopback()
    log, meter, began = folder / "offline.log", Meter(), time.monotonic()
    log.unlink(missing_ok=True)
    guard = {} if alone else {"PYTHONPATH": str(OFFLINE), "OFFLINE_LOG": str(log)}
    token, port = secrets.token_hex(16), free_port()
    command = ["binder/start", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    with (folder / "server.log").open("wb") as output:
        server = subprocess.Popen(
            [*command, f"--IdentityProvider.token={token}"],
            env=os.environ | guard,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    meter.start(server.pid)
    try:
        faults = run_through(f"http://127.0.0.1:{port}", token)
    finally:
        stop(server)
        meter.stop()
    faults += log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    print(f"{NOTEBOOK}: {time.monotonic() - began:.0f} s, with the start of the server")
    print(
        f"peak memory: {meter.peak / MEGABYTE:.0f} MB of server and kernel; {MOST_BYTES / MEGABYTE:.0f} MB are the most"
    )
    print(*faults, sep="\n", end="")
    return 1 if faults or meter.peak > MOST_BYTES else 0


def raise_loopback() -> None:
    """Bring up the one interface of a new network namespace."""
    import fcntl
    import struct

    set_flags, up = 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", up))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run_through(url: str, token: str) -> list[str]:
    """Run the notebook's cells in a kernel of the server; return what went wrong."""
    import msgspec
    import nbformat
    from websockets.sync.client import connect

    headers = {"Authorization": f"token {token}"}
    wait_until_up(f"{url}/api/status", headers)
    asked = {"path": NOTEBOOK, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    request = urllib.request.Request(f"{url}/api/sessions", msgspec.json.encode(asked), headers, method="POST")  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310 - our own server
        kernel = msgspec.json.decode(answer.read())["kernel"]["id"]
    channels = f"{url.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    with connect(channels, additional_headers=headers, max_size=None) as socket_:
        return [fault for cell in cells for fault in run_cell(socket_, cell)]


def wait_until_up(url: str, headers: dict[str, str]) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5).close()  # noqa: S310 - our own server
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def run_cell(socket_: Any, cell: Any) -> list[str]:
    """Run a cell as JupyterLab does, to its end; return its errors and what it wrote to stderr."""
    import msgspec

    header = {"msg_id": cell.id, "msg_type": "execute_request", "session": "try", "username": "", "version": "5.3"}
    content = {"code": cell.source, "silent": False, "store_history": True, "allow_stdin": False}
    message = {
        "channel": "shell",
        "header": header,
        "parent_header": {},
        "metadata": {"cellId": cell.id},
        "content": content,
    }
    socket_.send(msgspec.json.encode(message).decode())
    faults: list[str] = []
    while True:
        said = msgspec.json.decode(socket_.recv(timeout=CELL_SECONDS))
        if said["parent_header"].get("msg_id") != cell.id:
            continue
        match said["msg_type"], said["content"]:
            case "error", {"ename": name, "evalue": value}:
                faults.append(f"Cell {cell.id} failed: {name}: {value}")
            case "stream", {"name": "stderr", "text": text}:
                faults.append(f"Cell {cell.id} wrote to stderr: {text.strip()}")
            case "status", {"execution_state": "idle"}:
                return faults


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels; if it doesn't, end its whole process group."""
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
