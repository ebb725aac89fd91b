"""An upstream of the Assistants API without a network: OpenAI's way, or Azure's; keeps what it is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import msgspec

from agentbench.config import Endpoint, Secret
from agentbench.config.assistants import AssistantSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["KEY", "Asked", "FakeUpstream", "Round", "as_events"]

KEY = "the-key-of-the-assistants"
BASE = "https://assistants.example/v1"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Round:
    """What a run does until it settles: writes, calls, or never ends."""

    parts: tuple[dict[str, Any], ...] = ()
    calls: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name and arguments by the call's id."""
    status: str = "completed"
    more: dict[str, Any] = field(default_factory=dict)
    code: tuple[str, str] | None = None
    """What ran and what it printed."""


@dataclass
class Asked:
    """A request."""

    method: str
    path: str
    body: Any
    headers: httpx2.Headers
    query: dict[str, str]


class FakeUpstream:
    """Serves one assistant, `asst_1`; each run, and each submission of outputs, does the next of the `rounds`."""

    def __init__(self, *rounds: Round, polls: int = 0, cut: int | None = None, streams: bool = True) -> None:
        self.rounds = list(rounds)
        self.asked: list[Asked] = []
        self.faults: dict[str, list[httpx2.Response | Exception]] = {}
        self.assistants: list[dict[str, Any]] = [
            {"id": "asst_1", "object": "assistant", "model": "gpt-4o", "tools": []}
        ]
        self.threads: dict[str, list[dict[str, Any]]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.steps: list[dict[str, Any]] = []
        self._polls, self._streams = polls, streams
        self.cut = cut
        self._ids: Counter[str] = Counter()

    def endpoint(self, *, api_version: str | None = None, **settings: Any) -> Endpoint:
        """Return it as an endpoint that is looked at often."""
        given: dict[str, Any] = {"poll_interval": 0.01, "time_limit": 5.0} | settings
        name = "assistants" if api_version is None else "azureAssistants"
        assistants = AssistantSettings(api_version=api_version, **given)
        return Endpoint(
            name=name,
            provider="assistants",
            base_url=BASE,
            api_key=Secret(KEY),
            fetch_models=True,
            assistants=assistants,
        )

    def bodies(self, ending: str) -> list[Any]:
        """Return what was posted to addresses with this ending."""
        return [each.body for each in self.asked if each.method == "POST" and each.path.endswith(ending)]

    async def serve(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request."""
        await anyio.lowlevel.checkpoint()
        kind = request.headers.get("content-type", "")
        body = msgspec.json.decode(request.content) if kind == "application/json" else request.content
        path = request.url.path.removeprefix("/v1")
        self.asked.append(Asked(request.method, path, body, request.headers, dict(request.url.params)))
        for ending, faults in self.faults.items():
            if path.endswith(ending) and faults:
                if isinstance(fault := faults.pop(0), Exception):
                    raise fault
                return fault
        parts = path.strip("/").split("/")
        return getattr(self, f"_{request.method.lower()}_{parts[0]}")(parts[1:], body, dict(request.url.params))  # type: ignore[no-any-return]

    # -- routes -------------------------------------------------------------------------------------------------

    def _get_assistants(self, parts: list[str], _: Any, query: dict[str, str]) -> httpx2.Response:
        if parts:
            found = next((each for each in self.assistants if each["id"] == parts[0]), None)
            return _missing("assistant") if found is None else _json(found)
        ids = [each["id"] for each in self.assistants]
        begin = ids.index(query["after"]) + 1 if "after" in query else 0
        return _json({"object": "list", "data": self.assistants[begin : begin + 2], "has_more": begin + 2 < len(ids)})

    def _get_files(self, parts: list[str], _: Any, __: Any) -> httpx2.Response:
        if parts[1:] == ["content"]:
            return httpx2.Response(200, content=PNG, headers={"content-type": "application/octet-stream"})
        return _json({"id": parts[0], "filename": f"{parts[0]}.txt"})

    def _post_files(self, *_: Any) -> httpx2.Response:
        return _json({"id": self._id("file"), "object": "file"})

    def _post_threads(self, parts: list[str], body: Any, _: Any) -> httpx2.Response:
        if not parts:
            thread = self._id("thread")
            self.threads[thread] = []
            for each in body.get("messages", ()):
                self._write(thread, each)
            return _json({"id": thread, "object": "thread"})
        return self._in_thread(*parts, body=body) if parts[0] in self.threads else _missing("thread")

    def _in_thread(self, thread: str, kind: str, run_id: str = "", action: str = "", *, body: Any) -> httpx2.Response:
        if action == "cancel":
            return self._cancel(self.runs[run_id])
        if action:
            return self._go_on(self.runs[run_id], body)
        active = next((run for run in self._runs(thread) if run["status"] in ACTIVE), None)
        if active is not None:
            return _error(400, f"Can't do this to {thread} while a run {active['id']} is active.")
        return _json(self._write(thread, body)) if kind == "messages" else self._run(thread, body)

    def _cancel(self, run: dict[str, Any]) -> httpx2.Response:
        if run["status"] not in ACTIVE:
            return _error(400, "Cannot cancel run.")
        run |= {"status": "cancelled", "usage": _usage(7, 1), "required_action": None}
        return _json(run | {"status": "cancelling", "usage": None})

    def _get_threads(self, parts: list[str], _: Any, query: dict[str, str]) -> httpx2.Response:
        thread = parts[0]
        if thread not in self.threads:
            return _missing("thread")
        if parts[-1] == "steps":
            return _json({"object": "list", "data": self.steps, "has_more": False})
        if parts[1] == "messages":
            rows = [each for each in self.threads[thread] if query.get("run_id") in (None, each["run_id"])]
        elif len(parts) == 2:
            rows = self._runs(thread)
        else:
            return self._look(self.runs[parts[2]])
        rows = rows[::-1] if query.get("order") == "desc" else rows
        return _json({"object": "list", "data": rows[: int(query["limit"])], "has_more": False})

    # -- runs ---------------------------------------------------------------------------------------------------

    def _run(self, thread: str, body: dict[str, Any]) -> httpx2.Response:
        if not any(each["id"] == body["assistant_id"] for each in self.assistants):
            return _missing("assistant")
        run = {"id": self._id("run"), "object": "thread.run", "thread_id": thread, "usage": None, "tools": []}
        self.runs[run["id"]] = run  # type: ignore[index]
        run["tools"] = body.get("tools") or self.assistants[0]["tools"]
        return self._go_on(run, body)

    def _go_on(self, run: dict[str, Any], body: dict[str, Any]) -> httpx2.Response:
        run |= {"status": "queued", "required_action": None}
        now = self.rounds.pop(0)
        frames = [("thread.run.created", dict(run))]
        if now.status != "endless":
            frames += self._settle(run, now)
        if body.get("stream") and self._streams:
            data = as_events(*frames, done=now.status != "endless")
            stream = _Stream(
                data if self.cut is None else data[: self.cut], hangs=now.status == "endless", cut=self.cut
            )
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)
        run["left"] = self._polls
        return _json(run | {"status": "queued", "usage": None, "required_action": None})

    def _settle(self, run: dict[str, Any], now: Round) -> list[tuple[str, dict[str, Any]]]:
        frames: list[tuple[str, dict[str, Any]]] = []
        if now.code is not None:
            outputs = [{"type": "logs", "logs": now.code[1]}]
            call = {"type": "code_interpreter", "code_interpreter": {"input": now.code[0], "outputs": outputs}}
            details = {"type": "tool_calls", "tool_calls": [call]}
            step = {"id": self._id("step"), "object": "thread.run.step", "status": "completed", "step_details": details}
            self.steps.append(step)
            frames.append(("thread.run.step.completed", step))
        if now.parts:
            whole = self._write(run["thread_id"], {"role": "assistant", "content": list(now.parts)}, run["id"])
            frames += [*_deltas(whole), ("thread.message.completed", whole)]
            made = {"type": "message_creation", "message_creation": {"message_id": whole["id"]}}
            self.steps.append({"id": self._id("step"), "object": "thread.run.step", "step_details": made})
        run["status"] = now.status
        if now.calls:
            calls = [
                {"id": key, "type": "function", "function": {"name": name, "arguments": arguments}}
                for key, (name, arguments) in now.calls.items()
            ]
            action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
            run |= {"status": "requires_action", "required_action": action}
        elif now.status != "expired":
            run["usage"] = _usage(12, 5)
        run |= now.more
        return [*frames, (f"thread.run.{run['status']}", dict(run))]

    def _look(self, run: dict[str, Any]) -> httpx2.Response:
        if run.get("left", 0) > 0:
            run["left"] -= 1
            return _json(run | {"status": "in_progress", "usage": None, "required_action": None})
        return _json(run)

    def _runs(self, thread: str) -> list[dict[str, Any]]:
        return [run for run in self.runs.values() if run["thread_id"] == thread]

    def _write(self, thread: str, body: dict[str, Any], run: str | None = None) -> dict[str, Any]:
        message = {"id": self._id("msg"), "object": "thread.message", "run_id": run, **body}
        self.threads[thread].append(message)
        return message

    def _id(self, kind: str) -> str:
        self._ids[kind] += 1
        return f"{kind}_{self._ids[kind]}"


ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, data: bytes, *, hangs: bool, cut: int | None) -> None:
        self._data, self._hangs, self._cut = data, hangs, cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for begin in range(0, len(self._data), 100):
            yield self._data[begin : begin + 100]
        if self._cut is not None:
            raise httpx2.ReadError("The line is gone.")
        if self._hangs:
            await anyio.sleep_forever()


def as_events(*frames: tuple[str, Any], done: bool = True) -> bytes:
    """Return server-sent events as such upstreams send them."""
    sent = [b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data)) for name, data in frames]
    return b"".join([*sent, b"event: done\ndata: [DONE]\n\n"] if done else sent)


def _deltas(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return a message's texts word by word, then its other parts and annotations."""
    frames = []
    for index, part in enumerate(message["content"]):
        if part["type"] != "text":
            frames.append({"index": index, **part})
            continue
        for word in part["text"]["value"].split(" "):
            space = " " if frames and frames[-1]["index"] == index else ""
            frames.append({"index": index, "type": "text", "text": {"value": space + word}})
        notes = [{"index": n, **each} for n, each in enumerate(part["text"]["annotations"])]
        frames += [{"index": index, "type": "text", "text": {"annotations": notes}}] if notes else []
    head = {"id": message["id"], "object": "thread.message.delta"}
    return [("thread.message.delta", {**head, "delta": {"content": [frame]}}) for frame in frames]


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _json(value: Any) -> httpx2.Response:
    return httpx2.Response(200, json=value)


def _error(status: int, message: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"message": message, "type": "invalid_request_error"}})


def _missing(kind: str) -> httpx2.Response:
    return _error(404, f"No {kind} found.")
