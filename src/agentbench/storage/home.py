"""Where agentbench keeps its files on this machine. Owns no file itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from agentbench.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["home_folder", "make_private_folder"]


def home_folder(environ: Mapping[str, str]) -> Path:
    """Return the home folder: `AGENTBENCH_HOME`, else the platform's place for a user's data. It may not exist yet."""
    chosen = environ.get("AGENTBENCH_HOME")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("agentbench", appauthor=False)


def make_private_folder(folder: Path) -> None:
    """Make the folder, for its owner only, unless it is there already."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} can't be made: {error.strerror}. Name another one in AGENTBENCH_HOME."
        ) from error
