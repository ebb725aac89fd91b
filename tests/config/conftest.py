"""Fixtures for the config room: files are written to a folder of their own and named without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.config import Catalog, load
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that messages hold short paths."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loaded(folder: Path) -> Callable[..., Catalog]:
    """Load `agentbench.yaml` with the given text and environment variables."""

    def load_text(text: str, **environ: str) -> Catalog:
        (folder / "agentbench.yaml").write_text(text, encoding="utf-8")
        return load("agentbench.yaml", environ)

    return load_text


@pytest.fixture
def refused(loaded: Callable[..., Catalog]) -> Callable[..., str]:
    """Load a wrong `agentbench.yaml` and return the error's message."""

    def refuse_text(text: str, **environ: str) -> str:
        with pytest.raises(ConfigError) as caught:
            loaded(text, **environ)
        assert (caught.value.__context__, caught.value.__cause__) == (None, None)
        return caught.value.message

    return refuse_text
