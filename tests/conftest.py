"""What every test gets: a home of its own, no keys, no network; and what is skipped where something is missing."""

from __future__ import annotations

import functools
import importlib.util
import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parent.parent
SETTINGS = (
    "AGENTBENCH_",
    "ANTHROPIC_",
    "ASSISTANTS_",
    "AWS_",
    "AZURE_",
    "BEDROCK_",
    "GEMINI_",
    "GOOGLE_",
    "OLLAMA_",
    "OPENAI_",
)
KEPT = "AGENTBENCH_CACHE"  # the model's weights are fetched once, not once a test
CI = os.environ.get("CI", "").casefold() in {"1", "true"}


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the user's keys and settings, also from fixtures that serve many tests and from child processes."""
    folder = tmp_path_factory.mktemp("session")
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in os.environ if each.startswith(SETTINGS) and each != KEPT]:
            patch.delenv(name)
        patch.setenv("AGENTBENCH_HOME", str(folder / "home"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1,localhost,::1")
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test its own AGENTBENCH_HOME, a folder that isn't there yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("AGENTBENCH_HOME", str(folder))
    monkeypatch.delenv("AGENTBENCH_CONFIG", raising=False)  # the command line sets it for its process
    return folder


@pytest.fixture(autouse=True)
def loopback_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections that leave the machine, and fail the test that tried one; `network` allows them."""
    if request.node.get_closest_marker("network"):
        yield
        return
    refused: list[str] = []
    real_connect, real_getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: tuple[str, int] | str) -> None:
        if isinstance(address, tuple) and not is_loopback(address[0]):
            refused.append(address[0])
            raise ConnectionRefusedError(f"Tests don't connect to {address[0]}.")
        real_connect(self, address)

    def getaddrinfo(host: str | bytes | None, *args: Any, **kwargs: Any) -> object:
        if not is_loopback(host):
            refused.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, f"Tests don't look up {host!r}.")
        return real_getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    assert refused == []


def is_loopback(host: str | bytes | None) -> bool:
    """Tell whether the host is this machine; no host at all means so too."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@functools.cache
def without_local_model() -> str | None:
    """Return why the local model can't run here, or None."""
    if importlib.util.find_spec("xllamacpp") is None:
        return 'xllamacpp is not installed; run: pip install "agentbench[local]"'
    found = run("-m", "agentbench", "models", "path")
    return None if found.returncode == 0 else "the model's weights are not here; run: agentbench models pull"


@functools.cache
def without_browser() -> str | None:
    """Return why there is no browser to drive, or None."""
    found = run(PROJECT / "tools" / "browser.py")
    return None if found.returncode == 0 else found.stdout.strip()


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


NEEDS: dict[str, Callable[[], str | None]] = {"browser": without_browser, "local_model": without_local_model}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what isn't here; in CI it fails, where all must be there."""
    for marker, missing in NEEDS.items():
        reason = missing() if item.get_closest_marker(marker) else None
        if reason and CI:
            pytest.fail(reason, pytrace=False)
        elif reason:
            pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last: from the first on, Playwright runs an event loop on this thread, and asyncio but one."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
