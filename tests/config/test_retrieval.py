"""The block `retrieval`, and the collections of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentbench.config import load
from agentbench.config.check import check
from agentbench.config.retrieval import RetrievalSettings
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ROUTER = {"name": "router", "baseURL": "https://llm.example/v1", "apiKey": "k", "models": {"default": ["m"]}}
ENDPOINTS = {
    "custom": [ROUTER],
    "anthropic": {"apiKey": "k"},
    "ollama": {"baseURL": "http://127.0.0.1:11434"},
    "scripted": {"models": {"s": [{"text": "Hi"}]}},
}


def settings(environ: dict[str, str] | None = None, **keys: Any) -> RetrievalSettings:
    """Return the settings of a config with these keys under `retrieval`."""
    return load({"endpoints": ENDPOINTS, "retrieval": keys}, environ or {}).retrieval


def problem(**keys: Any) -> str:
    """Return what is said of these keys."""
    with pytest.raises(ConfigError) as caught:
        settings(**keys)
    return caught.value.message


def test_defaults() -> None:
    """What nobody writes is as the settings' own defaults."""
    assert load({}, {}).retrieval == load(None, {}).retrieval == settings() == RetrievalSettings()


def test_written_values() -> None:
    """What is written holds; endpoints are spelled as they are, megabytes become bytes."""
    written = settings(
        embedder="Router/bge-m3",
        reranker="ROUTER/rerank/v2",
        batchSize=64,
        topK=5,
        threshold=0.3,
        rewrite=True,
        maxFileMB=2,
        extractionMemoryMB=512,
        maxPageMB=1,
        waitForProcessing=0,
    )
    assert (written.embedder, written.reranker) == ("router/bge-m3", "router/rerank/v2")
    assert (written.batch_size, written.top_k, written.threshold, written.rewrite) == (64, 5, 0.3, True)
    assert (written.largest_file, written.extraction_memory, written.largest_page) == (2 << 20, 512 << 20, 1 << 20)
    assert written.wait_for_processing == 0


def test_sizes_go_together() -> None:
    """Overlap and smallest passage follow the size, unless they are written."""
    follows, own = settings(passageSize=500), settings(passageSize=500, passageOverlap=0, smallestPassage=500)
    assert (follows.passage_size, follows.passage_overlap, follows.smallest_passage) == (500, 50, 100)
    assert (own.passage_overlap, own.smallest_passage) == (0, 500)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"embedder": "bge-m3"}, "retrieval.embedder: expected ENDPOINT/MODEL"),
        ({"embedder": "rooter/bge-m3"}, "retrieval.embedder: There is no endpoint 'rooter'. Did you mean 'router'?"),
        ({"embedder": "openAI/e"}, "retrieval.embedder: The endpoint 'openAI' is there when OPENAI_API_KEY is set."),
        ({"embedder": "anthropic/e"}, "retrieval.embedder: anthropic has no API that embeds"),
        ({"embedder": "scripted/s"}, "retrieval.embedder: scripted has no API that embeds"),
        ({"embedder": "local/smollm2-135m-instruct"}, "only local/multilingual-e5-small embeds"),
        ({"reranker": "ollama/bge"}, "retrieval.reranker: ollama has no API that reranks"),
        ({"reranker": "local/multilingual-e5-small"}, "retrieval.reranker: local has no API that reranks"),
        ({"passageSize": 99}, "retrieval.passageSize"),
        ({"passageSize": 100, "passageOverlap": 51}, "'passageOverlap' may be half"),
        ({"smallestPassage": 1001}, "'smallestPassage' may be as large"),
        ({"batchSize": 0}, "retrieval.batchSize"),
        ({"concurrency": "many"}, "retrieval.concurrency"),
        ({"threshold": 1.5}, "retrieval.threshold"),
        ({"topk": 3}, "topK"),
    ],
)
def test_mistakes(keys: dict[str, Any], said: str) -> None:
    """What can't be is said at its key, names with the nearest one."""
    assert said in problem(**keys)


@pytest.mark.parametrize(
    ("environ", "keys", "expected"),
    [
        ({}, {}, (False, True)),
        ({"ENABLE_RAG_LOCAL_WEB_FETCH": "True", "BYPASS_ADMIN_ACCESS_CONTROL": "False"}, {}, (True, False)),
        ({"ENABLE_RAG_LOCAL_WEB_FETCH": " ", "BYPASS_ADMIN_ACCESS_CONTROL": "perhaps"}, {}, (False, True)),
        (
            {"ENABLE_RAG_LOCAL_WEB_FETCH": "1", "BYPASS_ADMIN_ACCESS_CONTROL": "0"},
            {"allowLocalAddresses": False, "administratorsSeeAll": True},
            (False, True),
        ),
    ],
)
def test_environment(environ: dict[str, str], keys: dict[str, Any], expected: tuple[bool, bool]) -> None:
    """The environment says what the file doesn't."""
    made = settings(environ, **keys)
    assert (made.local_addresses, made.administrators_see_all) == expected
    if not keys:
        assert load(None, environ).retrieval == made


def test_agents_collections() -> None:
    """An agent names the collections that it answers from, each once."""
    catalog = load({"agents": [{"id": "guide", "collections": ["handbook", "papers", "handbook"]}, {"id": "bare"}]}, {})
    assert [each.collections for each in catalog.agents.values()] == [("handbook", "papers"), ()]
    with pytest.raises(ConfigError, match=r"agents\[0\]\.collections\[0\]"):
        load({"agents": [{"id": "guide", "collections": [""]}]}, {})


def test_checked(tmp_path: Path) -> None:
    """`agentbench check` says what becomes of each key."""
    file = tmp_path / "agentbench.yaml"
    file.write_text("retrieval:\n  topK: 5\n  reranker:\n  embedder: nowhere/e\n")
    found = {each.key: each.state for each in check(file, {})}
    assert found == {"retrieval.topK": "used", "retrieval.reranker": "ignored", "retrieval.embedder": "wrong"}
