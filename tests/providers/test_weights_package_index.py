"""Which package indexes are asked, in which order, and that their passwords stay hidden."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentbench.providers.weights import package_index
from agentbench.providers.weights.package_index import configured_indexes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away every setting of pip and uv."""
    for name in [each for each in os.environ if each.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def urls() -> list[str]:
    """Return the addresses of the indexes, in order."""
    return [index.url for index in configured_indexes()]


def test_order_of_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Main indexes come before extra ones, uv's before pip's; none is asked twice."""
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://five.test/simple http://three.test/simple")
    monkeypatch.setenv("UV_INDEX", "four=http://four.test/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "http://three.test/simple/")
    monkeypatch.setenv("UV_INDEX_URL", "http://two.test/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://one.test/simple")
    assert urls() == [f"http://{name}.test/simple" for name in ("one", "two", "three", "four", "five")]


def test_pips_settings_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a variable for the main index, pip's config file counts, after the extra indexes."""
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = http://a:b@mine.test/simple\ncert = /certificates\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("UV_INDEX", "http://extra.test")
    assert urls() == ["http://extra.test", "http://mine.test/simple"]
    assert list(configured_indexes())[1].certificates == "/certificates"


def test_pips_own_default_is_last() -> None:
    """With nothing configured, the one index is the one that pip has built in."""
    (only,) = urls()
    assert only.startswith("https://")
    assert only.endswith("/simple")


def test_pip_may_be_forbidden_any_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PIP_NO_INDEX` leaves none."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert urls() == []


def test_folders_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index in a folder can't be asked over HTTP."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "file:///opt/simple")
    monkeypatch.setenv("UV_INDEX", "../wheels https://next.test")
    assert urls() == ["https://next.test"]


def test_credentials_are_used_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """User and password are taken out of the address and decoded; the index's repr has neither."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://me%40work:s3%2Fcret@host.test:8443/simple")
    (index,) = configured_indexes()
    assert index.url == "https://host.test:8443/simple"
    assert index.login == ("me@work", "s3/cret")
    assert repr(index) == "Index('https://host.test:8443/simple')"


def test_certificates_of_pip_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PIP_CERT` goes for every index."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://one.test")
    monkeypatch.setenv("PIP_CERT", "/certificates")
    assert [index.certificates for index in configured_indexes()] == ["/certificates"]


def test_pip_of_the_standard_library_answers() -> None:
    """An environment without pip has the one in `ensurepip`'s wheel, and that one can be asked."""
    wheels = [str(each) for each in package_index._bundled_pip()]
    if not wheels:
        pytest.skip("this Python came without ensurepip's wheels")
    command = [sys.executable, "-S", "-c", package_index._ASK_PIP, *wheels]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert [f"{each}".rstrip("/") for each in answer["urls"]] == urls()


def test_no_pip_at_all_is_no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Python can't be started, nothing is found, and nothing breaks."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert urls() == []
