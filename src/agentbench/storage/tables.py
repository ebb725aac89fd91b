"""Every table. A change here needs a revision in `migrations/`, which a test holds against this file."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from agentbench.storage.columns import UTCDateTime, of_thread, position

__all__ = [
    "api_keys",
    "assistants",
    "background_runs",
    "balance_changes",
    "balances",
    "collection_files",
    "collections",
    "conversations",
    "file_parts",
    "file_texts",
    "files",
    "grants",
    "metadata",
    "passages",
    "pending_links",
    "rate_limits",
    "reservations",
    "responses",
    "run_steps",
    "secrets",
    "thread_messages",
    "thread_runs",
    "threads",
    "usage",
    "users",
    "version",
]


metadata = MetaData()

# alembic's, by a name that no other program's in the same database has.
version = Table(
    "agentbench_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="agentbench_version_pkc"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("title", Text),
    Column("agent", Text),
    Column("head", Text),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("titled_by", Text),
    Index("conversations_user_updated_at", "user", "updated_at"),
)

responses = Table(
    "responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE")),
    Column("parent", Text),
    Column("agent", Text),
    Column("endpoint", Text, nullable=False),
    Column("cell_id", Text),
    Column("cell_run", Text),
    Column("created_at", UTCDateTime, nullable=False),
    Column("input", Text, nullable=False),
    Column("response", Text, nullable=False),
    Index("responses_conversation_id", "conversation_id"),
)

# The ledger outlives what it counts: no foreign keys.
usage = Table(
    "usage",
    metadata,
    Column("id", Text, primary_key=True),
    Column("time", UTCDateTime, nullable=False),
    Column("user", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("conversation_id", Text),
    Column("response_id", Text),
    Column("cell_id", Text),
    Column("execution_count", Integer),
    Column("agent", Text),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("input_tokens", Integer),
    Column("cached_tokens", Integer),
    Column("cache_write_tokens", Integer),
    Column("output_tokens", Integer),
    Column("reasoning_tokens", Integer),
    Column("cost", Double),
    Column("time_to_first_token", Double),
    Column("duration", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_type", Text),
    Column("key_id", Text),
    Column("notebook", Text),
    Column("step", Integer),
    Column("input_rate", Double),
    Column("cached_rate", Double),
    Column("cache_write_rate", Double),
    Column("output_rate", Double),
    Column("rate_source", Text),
    Column("credits", Double),
    Column("estimated", Boolean),
    Column("flags", Text),
    Index("usage_user_time", "user", "time"),
    Index("usage_conversation_id", "conversation_id"),
)

# `generation` goes up with everything that ends a user's sign-ins.
users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("password", Text),
    Column("issuer", Text),
    Column("subject", Text),
    Column("created_at", UTCDateTime, nullable=False),
    Index("users_email", "email", unique=True),
    Index("users_issuer_subject", "issuer", "subject", unique=True),
)

# Only the SHA-256 of a key is here, and the prefix by which people tell keys apart.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("agents", Text),
    Column("requests_per_minute", Integer),
    Column("created_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime),
    Column("last_used_at", UTCDateTime),
    Index("api_keys_prefix", "prefix"),
    Index("api_keys_user", "user"),
)

# What names did in the last minute, as JSON; `until` is when all of it is over.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("name", Text, primary_key=True),
    Column("moments", Text, nullable=False),
    Column("until", UTCDateTime, nullable=False),
    Index("rate_limits_until", "until"),
)

# What the gateways on one database must share and nobody else may know.
secrets = Table("secrets", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

# A row is there while some process makes the response; `stop` asks that process to end it.
background_runs = Table(
    "background_runs",
    metadata,
    Column("response_id", Text, primary_key=True),
    Column("seen_at", UTCDateTime, nullable=False),
    Column("stop", Boolean, nullable=False),
)

# Whole millionths of a credit, so that sums are exact; never below zero. What is reserved is taken off already.
balances = Table(
    "balances",
    metadata,
    Column("user", Text, primary_key=True),
    Column("microcredits", BigInteger, nullable=False),
    Column("last_refill", UTCDateTime, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

# What running calls may still cost; a row whose time is over goes back to its user.
reservations = Table(
    "reservations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("microcredits", BigInteger, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Index("reservations_expires_at", "expires_at"),
)

# Every change of a balance that is no charge; charges are the ledger's rows.
balance_changes = Table(
    "balance_changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("time", UTCDateTime, nullable=False),
    Column("user", Text, nullable=False),
    Column("microcredits", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Index("balance_changes_user_time", "user", "time"),
)

# `version` goes up with everything that changes what a search in the file may find. `worker` processes it, until
# `lease_until` unless it says more. `search_key` is the name as searches for names compare it.
files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("search_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("url", Text),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("text_digest", Text),
    Column("characters", Integer, nullable=False),
    Column("passages", Integer, nullable=False),
    Column("embedder", Text),
    Column("dimensions", Integer),
    Column("meta", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("worker", Text),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Index("files_user_updated_at", "user", "updated_at"),
    Index("files_status", "status"),
)

file_parts = Table(
    "file_parts",
    metadata,
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# What was read out of a file; `layout` is JSON.
file_texts = Table(
    "file_texts",
    metadata,
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("layout", Text, nullable=False),
)

# A file has one set of passages, whichever collections hold it. `terms` and `text_hash` are what the text index is
# made of, `embedding` is little-endian float32, or NULL until it is computed.
passages = Table(
    "passages",
    metadata,
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    Column("heading", Text),
    Column("text_hash", BigInteger, nullable=False),
    Column("terms", LargeBinary, nullable=False),
    Column("embedding", LargeBinary),
)

# `version` goes up with everything that changes what a search in the collection may find.
collections = Table(
    "collections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("search_key", Text, nullable=False),
    Column("meta", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Index("collections_user_handle", "user", "handle", unique=True),
)

collection_files = Table(
    "collection_files",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("added_at", UTCDateTime, nullable=False),
    Index("collection_files_file_id", "file_id"),
)

# The collections that a file joins once it is completed.
pending_links = Table(
    "pending_links",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Index("pending_links_file_id", "file_id"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("user", Text, nullable=False),
    Column("permission", Text, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Index("grants_collection_id", "collection_id", "user", "permission", unique=True),
)

# The bodies from here on are the objects of the Assistants API as JSON; of a run, with what else is known of it.
assistants = Table(
    "assistants",
    metadata,
    position(),
    Column("id", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("name", Text),
    Column("body", Text, nullable=False),
    Index("assistants_id", "id", unique=True),
    Index("assistants_user_name", "user", "name"),
)

threads = Table(
    "threads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("body", Text, nullable=False),
)

thread_messages = Table(
    "thread_messages",
    metadata,
    position(),
    Column("id", Text, nullable=False),
    of_thread(),
    Column("run_id", Text),
    Column("body", Text, nullable=False),
    Index("thread_messages_id", "id", unique=True),
    Index("thread_messages_thread_id", "thread_id", "position"),
)

thread_runs = Table(
    "thread_runs",
    metadata,
    position(),
    Column("id", Text, nullable=False),
    of_thread(),
    Column("user", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("thread_runs_id", "id", unique=True),
    Index("thread_runs_thread_id", "thread_id", "position"),
    Index("thread_runs_status", "status"),
)

run_steps = Table(
    "run_steps",
    metadata,
    position(),
    Column("id", Text, nullable=False),
    of_thread(),
    Column("run_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("run_steps_id", "id", unique=True),
    Index("run_steps_run_id", "run_id", "position"),
    Index("run_steps_thread_id", "thread_id"),
)
