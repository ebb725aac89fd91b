"""Files and vector stores of the API beside assistants, and what clients ask of them. Times are seconds since 1970."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from agentbench.protocol.values import Value

__all__ = [
    "PURPOSES",
    "AddBatch",
    "AddFile",
    "Attributes",
    "ChangeAttributes",
    "ChangeStore",
    "CreateStore",
    "Deleted",
    "ExpiresAfter",
    "FileBatch",
    "FileCounts",
    "FileObject",
    "FileProblem",
    "FileState",
    "InlineStore",
    "Purpose",
    "SearchStore",
    "StoreFile",
    "StoreHit",
    "StoreHits",
    "StoreText",
    "StoreTexts",
    "VectorStore",
]

Purpose = Literal["assistants", "assistants_output", "user_data", "vision"]
PURPOSES: tuple[Purpose, ...] = ("assistants", "vision", "user_data")
"""What a client may upload a file for."""

FileState = Literal["in_progress", "completed", "failed", "cancelled"]
AttributeValue = Annotated[str, Meta(max_length=512)] | bool | int | float
Attributes = Annotated[dict[Annotated[str, Meta(max_length=64)], AttributeValue], Meta(max_length=16)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
Name = Annotated[str, Meta(max_length=256)]
MANY = 2000
"""Files that may join a vector store at once."""

FileIds = Annotated[tuple[str, ...], Meta(max_length=MANY)]
Strategy = dict[str, Any]
"""How files are split into passages, which the settings of `retrieval` say here."""


class FileObject(Value, frozen=True, kw_only=True):
    """A stored file."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: Purpose
    status: Literal["uploaded", "processed", "error"] = "processed"
    status_details: str | None = None
    expires_at: int | None = None


class FileCounts(Value, frozen=True, kw_only=True):
    """How many files are how far."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class ExpiresAfter(Value, frozen=True, kw_only=True):
    """How long a vector store is kept that nobody uses."""

    anchor: Literal["last_active_at"] = "last_active_at"
    days: Annotated[int, Meta(ge=1, le=365)]


class VectorStore(Value, frozen=True, kw_only=True):
    """Files that are searched together."""

    id: str
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str
    description: str | None = None
    usage_bytes: int = 0
    file_counts: FileCounts = FileCounts()
    status: Literal["expired", "in_progress", "completed"] = "completed"
    expires_after: ExpiresAfter | None = None
    expires_at: int | None = None
    last_active_at: int | None = None
    metadata: dict[str, str] = {}


class FileProblem(Value, frozen=True, kw_only=True):
    """Why a file can't be searched."""

    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


class OtherStrategy(Value, frozen=True, kw_only=True):
    """Files are split as the server thinks best."""

    type: Literal["other"] = "other"


class StoreFile(Value, frozen=True, kw_only=True):
    """A file of a vector store."""

    id: str
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int
    vector_store_id: str
    status: FileState
    last_error: FileProblem | None = None
    usage_bytes: int = 0
    attributes: dict[str, str | bool | int | float] = {}
    chunking_strategy: OtherStrategy = OtherStrategy()


class FileBatch(Value, frozen=True, kw_only=True):
    """Files that joined a vector store together."""

    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: str
    status: FileState
    file_counts: FileCounts


class Deleted(Value, frozen=True, kw_only=True):
    """What was deleted; `object` is the list's own word for it."""

    id: str
    object: str
    deleted: bool = True


class StoreText(Value, frozen=True, kw_only=True):
    """A text of a file."""

    type: Literal["text"] = "text"
    text: str


class StoreTexts(Value, frozen=True, kw_only=True):
    """All text of a file."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: tuple[StoreText, ...]
    has_more: bool = False
    next_page: str | None = None


class StoreHit(Value, frozen=True, kw_only=True):
    """A passage that was found."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, str | bool | int | float] = {}
    content: tuple[StoreText, ...]


class StoreHits(Value, frozen=True, kw_only=True):
    """All that was found, best first."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: tuple[str, ...]
    data: tuple[StoreHit, ...] = ()
    has_more: bool = False
    next_page: str | None = None


class InlineStore(Value, frozen=True, kw_only=True):
    """A new vector store, as `tool_resources` may hold one."""

    file_ids: Annotated[tuple[str, ...], Meta(max_length=10_000)] = ()
    metadata: Metadata | None = None
    chunking_strategy: Strategy | None = None


class CreateStore(InlineStore, frozen=True, kw_only=True):
    """A new vector store."""

    name: Name | None = None
    description: Annotated[str, Meta(max_length=512)] | None = None
    expires_after: ExpiresAfter | None = None


class ChangeStore(Value, frozen=True, kw_only=True):
    """Other values of a vector store; what is absent stays, and null clears it."""

    name: Name | UnsetType | None = UNSET
    expires_after: ExpiresAfter | UnsetType | None = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class AddFile(Value, frozen=True, kw_only=True):
    """A file that joins a vector store."""

    file_id: str
    attributes: Attributes | None = None
    chunking_strategy: Strategy | None = None


class AddBatch(Value, frozen=True, kw_only=True):
    """Files that join a vector store: `file_ids` with the same attributes, or `files` with their own."""

    file_ids: FileIds | None = None
    files: Annotated[tuple[AddFile, ...], Meta(max_length=MANY)] | None = None
    attributes: Attributes | None = None
    chunking_strategy: Strategy | None = None


class ChangeAttributes(Value, frozen=True, kw_only=True):
    """Other attributes of a file in a vector store."""

    attributes: Attributes | None


class SearchRanking(Value, frozen=True, kw_only=True):
    """What a passage must reach to be found, and whether the reranker has a say."""

    ranker: str | None = None
    score_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None


class SearchStore(Value, frozen=True, kw_only=True):
    """What to search a vector store for; `filters` are conditions on attributes."""

    query: str | tuple[str, ...]
    filters: dict[str, Any] | None = None
    max_num_results: Annotated[int, Meta(ge=1, le=50)] = 10
    ranking_options: SearchRanking | None = None
    rewrite_query: bool | None = None
