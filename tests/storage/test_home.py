"""Where the files go."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs
import pytest

from agentbench.errors import StorageError
from agentbench.storage.home import home_folder, make_private_folder


def test_home_is_what_the_environment_says() -> None:
    """AGENTBENCH_HOME names the home folder, with ~ for the user's own."""
    assert home_folder({"AGENTBENCH_HOME": "~/bench"}) == Path.home() / "bench"


@pytest.mark.parametrize("environ", [{}, {"AGENTBENCH_HOME": ""}])
def test_home_is_the_platforms_folder_otherwise(environ: dict[str, str]) -> None:
    """Without it, the platform's place for a user's data is taken."""
    assert home_folder(environ) == Path(platformdirs.user_data_dir("agentbench", appauthor=False))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_new_folder_is_private(tmp_path: Path) -> None:
    """Nobody else may look into a folder that agentbench made."""
    make_private_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The message names the folder and the setting to change."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file/home can't be made: .*AGENTBENCH_HOME"):
        make_private_folder(tmp_path / "file" / "home")
