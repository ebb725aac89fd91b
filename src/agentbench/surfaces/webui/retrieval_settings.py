"""The settings of retrieval, to read; where they are set is the config file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from agentbench.errors import PermissionDenied
from agentbench.surfaces.base import json_response
from agentbench.surfaces.webui.library import require_administrator

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.runner import Runner

__all__ = ["get_embedding", "get_settings", "refuse_settings"]

_MEGABYTE = 1024 * 1024


async def get_settings(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /retrieval/` and `GET /retrieval/config`, for administrators."""
    require_administrator(principal)
    settings = runner.catalog.retrieval
    return json_response({"status": True} | _search(settings) | _files(settings) | _embedding(settings))


async def get_embedding(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /retrieval/embedding`, for administrators."""
    require_administrator(principal)
    return json_response({"status": True} | _embedding(runner.catalog.retrieval))


async def refuse_settings(_: Request, __: Runner, principal: Principal) -> NoReturn:
    """Answer `POST /retrieval/config/update` and `embedding/update`: not from here."""
    require_administrator(principal)
    raise PermissionDenied("Retrieval is set in the config file, under `retrieval:`. Change it there.")


def _search(settings: RetrievalSettings) -> dict[str, Any]:
    return {
        "TOP_K": settings.top_k,
        "RELEVANCE_THRESHOLD": settings.threshold,
        "ENABLE_RAG_HYBRID_SEARCH": True,
        "HYBRID_BM25_WEIGHT": 0.5,
        "RAG_RERANKING_MODEL": settings.reranker or "",
        "ENABLE_RETRIEVAL_QUERY_GENERATION": settings.rewrite,
        "BYPASS_EMBEDDING_AND_RETRIEVAL": False,
        "RAG_FULL_CONTEXT": False,
    }


def _files(settings: RetrievalSettings) -> dict[str, Any]:
    return {
        "CHUNK_SIZE": settings.passage_size,
        "CHUNK_OVERLAP": settings.passage_overlap,
        "CHUNK_MIN_SIZE_TARGET": settings.smallest_passage,
        "FILE_MAX_SIZE": settings.largest_file // _MEGABYTE,
        "FILE_MAX_COUNT": None,
        "ALLOWED_FILE_EXTENSIONS": [],
        "ENABLE_LOCAL_WEB_FETCH": settings.local_addresses,
    }


def _embedding(settings: RetrievalSettings) -> dict[str, Any]:
    engine, _, model = settings.embedder.partition("/")
    return {
        "RAG_EMBEDDING_ENGINE": engine,
        "RAG_EMBEDDING_MODEL": model,
        "RAG_EMBEDDING_BATCH_SIZE": settings.batch_size,
        "RAG_EMBEDDING_CONCURRENT_REQUESTS": settings.concurrency,
        "ENABLE_ASYNC_EMBEDDING": True,
    }
