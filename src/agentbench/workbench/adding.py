"""From what people name as sources (paths, patterns, folders, web pages) to files of the library."""

from __future__ import annotations

import glob
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio.to_thread

from agentbench.errors import InvalidRequest, RequestTooLarge, Unreadable, nearest
from agentbench.retrieval.watching import UNFINISHED, progress_of
from agentbench.workbench.looking_into import added_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from anyio.from_thread import BlockingPortal

    from agentbench.retrieval.library import Library
    from agentbench.retrieval.values import Progress
    from agentbench.storage.database import Database
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

__all__ = ["Added", "add_sources", "found_sources", "warn_of_failures", "watched"]

_LOOK_S = 0.2
_TOLD = 3
"""Files that a warning names; the rest it counts."""


class Added(NamedTuple):
    """The files that are in the library now, and what was refused at once, each with the reason."""

    files: list[StoredFile]
    refused: list[str]


async def found_sources(sources: Sequence[str | Path]) -> list[str | Path]:
    """Return the files and addresses that sources name. Raises `InvalidRequest` for one that matches nothing."""
    paths = await anyio.to_thread.run_sync(_paths, [each for each in sources if not _is_address(each)])
    return [*paths, *filter(_is_address, sources)]


async def add_sources(
    library: Library, reader: Reader, found: Sequence[str | Path], *, collection: str | None = None
) -> Added:
    """Add what was found; new files are queued, and join the collection once they are completed.

    What can't be taken, such as an empty file, doesn't keep the others out; if it is the only one, its error is raised.
    """
    files, refused = [], []
    for each in found:
        try:
            files.append(await _added(library, reader, each, collection=collection))
        except (InvalidRequest, RequestTooLarge, Unreadable) as error:
            if len(found) == 1:
                raise
            refused.append(error.message)
    return Added(files, refused)


def _added(library: Library, reader: Reader, source: str | Path, *, collection: str | None) -> Awaitable[StoredFile]:
    if isinstance(source, str):
        return library.add_page(reader, source, collection=collection)
    return added_file(library, reader, source, collection=collection)


def watched(
    library: Library,
    reader: Reader,
    files: Sequence[StoredFile],
    *,
    portal: BlockingPortal,
    database: Database,
    progress: bool,
) -> list[StoredFile]:
    """Wait until no file is pending or processing, with a bar of their passages; return them as they are then.

    An interrupt ends the waiting, not the processing.
    """
    ids = [file.id for file in files]
    if progress and any(file.status in UNFINISHED for file in files):
        _show_progress(ids, database)
    return portal.call(partial(library.wait, reader, ids))


def warn_of_failures(files: Iterable[StoredFile], refused: Sequence[str] = (), *, stacklevel: int) -> None:
    """Warn of files that could not be added or processed, with the reasons; `stacklevel` 1 is the caller of this."""
    if refused:
        warnings.warn(f"{_counted(len(refused))} could not be added. {_told(refused)}", stacklevel=stacklevel + 1)
    failed = [f"{file.name}: {file.error}" for file in files if file.status == "failed"]
    if failed:
        text = f"{_counted(len(failed))} could not be processed. {_told(failed)} All that failed: %agent files --failed"
        warnings.warn(text, stacklevel=stacklevel + 1)


def _counted(number: int) -> str:
    return "A file" if number == 1 else f"{number} files"


def _told(reasons: Sequence[str]) -> str:
    more = [f"… and {len(reasons) - _TOLD} more."] if len(reasons) > _TOLD else []
    return " ".join([*reasons[:_TOLD], *more])


def _show_progress(ids: Sequence[str], database: Database) -> None:
    from tqdm.auto import tqdm

    with (
        tqdm(total=len(ids), desc="files", unit="file", leave=False) as files,
        tqdm(leave=False, unit="passage") as one,
    ):
        left = list(ids)
        while left:
            now = [database.read_now(partial(progress_of, file_id=each)) for each in left]
            left = [each.file for each in now if each.step not in ("completed", "failed", "deleted")]
            files.update(len(ids) - len(left) - files.n)
            _show_step(one, [each for each in now if each.file in left])
            if left:
                time.sleep(_LOOK_S)


def _show_step(bar: object, now: Sequence[Progress]) -> None:
    """Show what is happening to the files that are at work."""
    bar.total = sum(each.total for each in now)  # type: ignore[attr-defined]  # tqdm.auto chooses the class
    bar.n = sum(each.done for each in now)  # type: ignore[attr-defined]
    working = next((each for each in now if each.step != "waiting"), None)
    bar.set_description("waiting" if working is None else working.step)  # type: ignore[attr-defined]


def _is_address(source: str | Path) -> bool:
    return isinstance(source, str) and source.startswith(("https://", "http://"))


def _paths(sources: Sequence[str | Path]) -> list[Path]:
    """Return the files that paths, patterns and folders name, each once, in order."""
    found = [path for source in sources for path in _matches(source)]
    return list(dict.fromkeys(found))


def _matches(source: str | Path) -> list[Path]:
    path = Path(source).expanduser()
    if path.is_dir():
        found = [each for each in sorted(path.rglob("*")) if each.is_file() and not _is_hidden(each.relative_to(path))]
    elif path.is_file():
        return [path]
    else:
        found = [Path(each) for each in sorted(glob.glob(str(path), recursive=True)) if Path(each).is_file()]  # noqa: PTH207 - a pattern may be absolute, which pathlib refuses
    if not found:
        close = nearest(path.name, [each.name for each in path.parent.iterdir()]) if path.parent.is_dir() else None
        hint = f" Did you mean {str(path.with_name(close))!r}?" if close else ""
        raise InvalidRequest(f"No file matches {str(source)!r}.{hint}", param="files")
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
