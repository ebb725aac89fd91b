"""Runs GGUF models inside this process, through llama.cpp's own server as `xllamacpp` binds it.

Owns the loaded models, one a file and process, and their threads. Doesn't fetch weights, and knows no events: a chat
request goes in as OpenAI-style JSON and comes out as chunks.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import secrets
import tempfile
import threading
import time
from collections import deque
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from agentbench.errors import (
    AgentbenchError,
    ContextTooLong,
    InvalidRequest,
    MissingExtra,
    UpstreamError,
    UpstreamUnavailable,
    WeightsUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

__all__ = ["Engine", "engine_for", "loaded"]

_CHATS_AT_ONCE = 4
_CONTEXT_LENGTH = 8192  # tokens; llama.cpp lowers it for a model that was trained on less
_PROMPT_BATCH = 128  # tokens; a chat can be stopped between two batches, and larger ones are hardly faster on a CPU
_STOP_SECONDS = 10
_SOCKET_PATH_LIMIT = 100  # bytes; the smallest of the platforms' limits is 104
_REASON_LENGTH = 300

_engines: dict[tuple[Path, int], Engine] = {}
_loading = threading.Lock()


def engine_for(path: Path, *, context_length: int | None = None) -> Engine:
    """Return the engine of a model file, loaded on the first call; blocks meanwhile, and is safe from any thread.

    All chats of an engine share `context_length` tokens; one alone may use them all. Raises `MissingExtra` without
    `xllamacpp`, and `WeightsUnavailable` if the file can't be loaded. The engine is closed when Python exits.
    """
    key = (path.resolve(), context_length or _CONTEXT_LENGTH)
    with _loading:
        if not _engines:
            atexit.register(_close_all)
        if key not in _engines:
            _engines[key] = Engine(*_load(*key))
        return _engines[key]


def loaded() -> dict[Path, int]:
    """Return the files that are loaded now, each with the length of context that one chat gets."""
    return {path: engine.context_length for (path, _), engine in tuple(_engines.items())}


class Engine:
    """A loaded model. Four chats are answered at once; more wait for their turn."""

    def __init__(self, server: Any, context_length: int) -> None:
        self.context_length = context_length
        self._server = server
        self._places = threading.Semaphore(_CHATS_AT_ONCE)
        self._generations: set[_Generation] = set()

    async def chat(self, body: Mapping[str, Any]) -> AsyncGenerator[list[Mapping[str, Any]]]:
        """Answer one OpenAI-style chat request; yield its chunks, in batches of what has come meanwhile.

        The first batch says that the request was accepted, and may be empty: what is wrong with a request is raised
        before it, as `InvalidRequest` or `ContextTooLong`. Later failures are `UpstreamError`. Closing the generator,
        or cancelling the task, stops the model and waits until it has stopped.
        """
        body = {**body, "stream": True, "return_progress": True}
        generation = _Generation(self._server, self._places, body, self._generations.discard)
        self._generations.add(generation)
        generation.start()
        try:
            async with aclosing(generation.batches()) as batches:
                async for batch in batches:
                    yield batch
        finally:
            await generation.stop()

    def close(self) -> None:
        """Stop every chat and unload the model; blocks, at most for the time that stopping may take."""
        deadline = time.monotonic() + _STOP_SECONDS
        generations = list(self._generations)
        for generation in generations:
            generation.stopping = True
        for generation in generations:
            generation.join(deadline - time.monotonic())
        self._server = None


class _Generation:
    """One chat, as the thread that llama.cpp keeps busy and the task that reads share it.

    The thread is a daemon, for Python would wait for any other at its exit before we are told to stop it.
    """

    def __init__(
        self, server: Any, places: threading.Semaphore, body: dict[str, Any], on_end: Callable[[_Generation], None]
    ) -> None:
        self.stopping = server is None
        self._server = server
        self._places = places
        self._body = body
        self._on_end = on_end
        self._chunks: deque[Mapping[str, Any]] = deque()
        self._error: AgentbenchError | None = None
        self._begun = False
        self._ended = False
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="agentbench-llama", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        if self._thread.is_alive():
            self._thread.join(max(0, seconds))

    async def batches(self) -> AsyncGenerator[list[Mapping[str, Any]]]:
        while True:
            await self._news.wait()
            self._news.clear()
            ended = self._ended  # asked before looking: a chunk that comes after this look is seen in the next round
            if came := [self._chunks.popleft() for _ in range(len(self._chunks))]:
                yield [chunk for chunk in came if "prompt_progress" not in chunk]
            if ended:
                break
        if self._error:
            raise self._error
        if self.stopping:
            raise UpstreamUnavailable("The local model was shut down while it answered.")

    async def stop(self) -> None:
        """Tell the thread to stop, and wait for it if the model is already busy with this chat."""
        self.stopping = True
        with anyio.move_on_after(_STOP_SECONDS, shield=True):
            while self._begun and not self._ended:
                await self._news.wait()
                self._news.clear()

    def _run(self) -> None:
        try:
            with self._places:
                if not self.stopping:
                    self._begun = True
                    self._server.handle_chat_completions(self._body, self._receive)
        except Exception as error:  # noqa: BLE001 - llama.cpp's errors have no common type; the reader is told
            self._error = _refusal(str(error))
        finally:
            self._server = None
            self._on_end(self)
            self._ended = True
            self._wake()

    def _receive(self, chunk: Mapping[str, Any]) -> bool:
        """Take what llama.cpp calls back with; True stops it."""
        if "error" in chunk:
            self._error = _error(chunk["error"])
        else:
            self._chunks.append(chunk)
        self._wake()
        return self.stopping

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed: nobody reads any more
            self.stopping = True


def _error(problem: Mapping[str, Any]) -> AgentbenchError:
    """Turn llama.cpp's error object into one of ours."""
    message = str(problem.get("message", ""))
    if problem.get("type") == "exceed_context_size_error":
        return ContextTooLong(
            f"The conversation has {problem.get('n_prompt_tokens')} tokens, and the local model reads at most "
            f"{problem.get('n_ctx')}. Shorten it, or start a new one."
        )
    if problem.get("code") == 400:  # noqa: PLR2004 - HTTP's bad request
        return _refusal(message)
    if message.startswith("Context size has been exceeded"):
        return UpstreamUnavailable(
            "The chats that run at once have filled the local model's context. Try again, or ask fewer at once."
        )
    return UpstreamError(f"The local model failed: {message[:_REASON_LENGTH]}")


def _refusal(reason: str) -> InvalidRequest:
    return InvalidRequest(f"The local model can't take this request: {reason.partition(chr(10))[0][:_REASON_LENGTH]}")


def _load(path: Path, context_length: int) -> tuple[Any, int]:
    """Start llama.cpp's server on the file; return it and the length of context that one chat gets."""
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingExtra("local", "The local model") from error
    params = xllamacpp.CommonParams()
    _configure(params, path, context_length)
    # The server insists on listening. Its socket lies in a private folder and is gone when the model is loaded, so
    # nothing outside this process can reach it; where there are no such sockets, the key keeps others out.
    with tempfile.TemporaryDirectory(prefix="agentbench-") as folder:
        params.hostnames = [_address(folder)]
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise WeightsUnavailable(
                f"llama.cpp can't load {path}. Is it a whole GGUF file of a chat model?"
            ) from error
        server.handle_metrics()  # waits for its loop to begin: closed before that, it would hang
        return server, _context_length(server, params.api_keys[0])


def _configure(params: Any, path: Path, context_length: int) -> None:
    params.model.path = str(path)
    params.model_alias = {path.stem}
    params.n_ctx = context_length
    params.n_parallel = _CHATS_AT_ONCE
    params.kv_unified = True
    params.n_batch = _PROMPT_BATCH
    params.cache_ram_mib = 0  # else up to 8 GB of old prompts
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.n_threads_http = 1
    params.endpoint_metrics = True
    params.api_keys = [secrets.token_hex()]
    params.ui = False
    params.offline = True
    params.verbosity = -1


def _address(folder: str) -> str:
    path = str(Path(folder, "llama.sock"))
    return path if os.name == "posix" and len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT else "127.0.0.1"


def _context_length(server: Any, key: str) -> int:
    """Ask over the socket what one chat gets: the binding doesn't tell."""
    import httpx2

    scheme, _, path = server.listening_address.partition("://")
    local = scheme == "unix"
    transport = httpx2.HTTPTransport(uds=path if local else None)
    with httpx2.Client(transport=transport, trust_env=False) as client:
        address = "http://localhost" if local else server.listening_address
        props = client.get(f"{address}/props", headers={"authorization": f"Bearer {key}"}).raise_for_status().json()
    return int(props["default_generation_settings"]["n_ctx"])


def _threads() -> int:
    """Return how many threads compute: one less than there are cores.

    They wait for each other at every layer, so one that shares its core with a browser or another kernel halts them
    all: on two busy cores one thread was ten times faster than two.
    """
    import psutil

    cores = [psutil.cpu_count(logical=False) or psutil.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):
        cores.append(len(os.sched_getaffinity(0)))
    with suppress(OSError, ValueError):  # a container's share; no file, or "max", without one
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores.append(int(quota) // int(period))
    return max(1, min(cores) - 1)


def _close_all() -> None:
    with _loading:
        for engine in _engines.values():
            engine.close()
        _engines.clear()
