"""How files become passages and are searched: the settings of `retrieval:`, as one frozen value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

__all__ = ["NANO_E5", "RetrievalSettings", "switched"]

_YES, _NO = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}
_SWITCHES = {
    "local_addresses": "ENABLE_RAG_LOCAL_WEB_FETCH",
    "administrators_see_all": "BYPASS_ADMIN_ACCESS_CONTROL",
}

NANO_E5 = "local/multilingual-e5-small"
"""The embedder in the kernel, as `endpoint/model`."""


class RetrievalSettings(Value, frozen=True, kw_only=True):
    """Sizes of passages are in characters, of files in bytes, times in seconds.

    `embedder` and `reranker` are an `endpoint/model`; without a reranker the fused order stands. `threshold` is the
    least similarity, 0 to 1, that a passage found by its vector must have. `rewrite` lets the model write queries
    besides the person's own words.
    """

    embedder: str = NANO_E5
    batch_size: int = 16
    concurrency: int = 4
    reranker: str | None = None
    passage_size: int = 1000
    passage_overlap: int = 100
    smallest_passage: int = 200
    top_k: int = 3
    threshold: float = 0.0
    rewrite: bool = False
    largest_file: int = 100 * 1024 * 1024
    extraction_time: float = 120.0
    extraction_memory: int = 2 * 1024 * 1024 * 1024
    wait_for_processing: float = 30.0
    local_addresses: bool = False
    web_time: float = 30.0
    largest_page: int = 10 * 1024 * 1024
    administrators_see_all: bool = True


def switched(
    settings: RetrievalSettings, environ: Mapping[str, str], *, written: Container[str] = ()
) -> RetrievalSettings:
    """Return the settings with what the environment says, but for those that were `written`."""
    said = {
        name: environ.get(variable, "").strip().casefold()
        for name, variable in _SWITCHES.items()
        if name not in written
    }
    return msgspec.structs.replace(
        settings, **{name: text in _YES for name, text in said.items() if text in _YES | _NO}
    )
