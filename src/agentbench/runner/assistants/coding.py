"""The code interpreter as a tool of one stretch of a run: what it reads, what the model and the client get from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import AgentbenchError
from agentbench.protocol.request import FunctionTool
from agentbench.runner.assistants.calling import code_in
from agentbench.runner.assistants.made import FOLDER, MadeFile
from agentbench.runner.assistants.trail import CODE
from agentbench.runner.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AsyncExitStack

    from agentbench.config.assistants import AssistantSettings
    from agentbench.interpreter.interpreter import Interpreter
    from agentbench.interpreter.values import Made, Ran
    from agentbench.runner.assistants.trail import Trail

__all__ = ["Coding"]

_SLACK_SECONDS = 30.0
"""For starting Python, besides the time that the code may take."""


class Coding:
    """Runs the code of a stretch. The process starts with the first piece, and ends with what was `opened`.

    `files` are what the code may read, by name; `save` stores what it makes and returns the file's id.
    """

    def __init__(
        self,
        settings: AssistantSettings,
        trail: Trail,
        opened: AsyncExitStack,
        *,
        files: Mapping[str, Callable[[], Awaitable[bytes]]],
        save: Callable[[str, bytes], Awaitable[str]],
    ) -> None:
        self._settings = settings
        self._trail = trail
        self._opened = opened
        self._files = files
        self._save = save
        self._interpreter: Interpreter | None = None

    @property
    def tool(self) -> Tool:
        """The tool, as the model sees it."""
        there = f" There are: {', '.join(self._files)}." if self._files else ""
        spec = FunctionTool(
            name=CODE,
            description="Run Python code, and read what it prints. Variables stay for the next call. Files are read"
            f" from and written to /mnt/data, the working folder.{there} To give the person a file that the code made,"
            f" name it as [its name]({FOLDER}its name).",
            parameters={
                "type": "object",
                "properties": {"code": {"type": "string", "description": "Python code."}},
                "required": ["code"],
            },
        )
        return Tool(spec, self._run, timeout=self._settings.time_limit + _SLACK_SECONDS)

    async def _run(self, arguments: str) -> str:
        call_id = self._trail.claimed(arguments)
        ran = await (await self._started()).run(code_in(arguments))
        made: list[MadeFile] = []
        refused: list[str] = []
        for each in (*ran.images, *ran.files):
            try:
                made.append(await self._stored(each))
            except AgentbenchError as error:
                refused.append(f"[{each.name} was not kept: {error.message}]")
        self._trail.made += made
        self._trail.outputs[call_id] = _outputs(ran, made)
        return "\n".join((_told(ran, made), *refused))

    async def _started(self) -> Interpreter:
        if self._interpreter is None:
            from agentbench.interpreter.interpreter import Interpreter

            made = Interpreter(seconds=self._settings.code_seconds, memory=self._settings.code_memory)
            self._interpreter = await self._opened.enter_async_context(made)
            for name, read in self._files.items():
                await self._interpreter.put(name, await read())
        return self._interpreter

    async def _stored(self, made: Made) -> MadeFile:
        file_id = await self._save(made.name, made.data)
        return MadeFile(id=file_id, name=made.name, is_picture=made.content_type.startswith("image/"))


def _outputs(ran: Ran, made: Sequence[MadeFile]) -> list[dict[str, Any]]:
    """Return what a step shows: what was printed, and pictures."""
    logs = "\n".join(filter(None, (ran.logs, ran.error)))
    shown: list[dict[str, Any]] = [{"type": "logs", "logs": logs}] if logs else []
    return shown + [{"type": "image", "image": {"file_id": each.id}} for each in made if each.is_picture]


def _told(ran: Ran, made: Sequence[MadeFile]) -> str:
    """Return what the model reads."""
    pictures = [each.name for each in made if each.is_picture]
    files = [each.path for each in made if not each.is_picture]
    lines = (
        ran.logs,
        ran.error,
        f"[Pictures, which the person is shown: {', '.join(pictures)}]" if pictures else None,
        f"[Files: {', '.join(files)}]" if files else None,
    )
    return "\n".join(filter(None, lines)) or "[It printed nothing.]"
