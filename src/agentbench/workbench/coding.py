"""The code interpreter of an assistant that is asked outside a thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL
from agentbench.errors import UnknownName
from agentbench.protocol.request import FunctionTool
from agentbench.runner.assistants.calling import code_in
from agentbench.runner.assistants.trail import CODE
from agentbench.runner.tools import Tool
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from agentbench.interpreter.interpreter import Interpreter
    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.runner import Runner

__all__ = ["code_tool"]

_SLACK_SECONDS = 30.0
"""For starting Python, besides the time that the code may take."""
_SPEC = FunctionTool(
    name=CODE,
    description="Run Python code, and read what it prints. Each call starts anew: no variables stay. Files are read"
    " from and written to /mnt/data, the working folder.",
    parameters={
        "type": "object",
        "properties": {"code": {"type": "string", "description": "Python code."}},
        "required": ["code"],
    },
)


def code_tool(runner: Runner, assistant: Assistant, author: str) -> Tool:
    """Return the tool; it reads the assistant's files, and what it makes becomes files of the person at the kernel."""
    seconds = runner.catalog.assistants.code_seconds
    return Tool(_SPEC, partial(_run, runner, assistant, author), timeout=seconds + _SLACK_SECONDS)


async def _run(runner: Runner, assistant: Assistant, author: str, arguments: str) -> str:
    from agentbench.interpreter.interpreter import Interpreter

    settings = runner.catalog.assistants
    async with Interpreter(seconds=settings.code_seconds, memory=settings.code_memory) as interpreter:
        await _put(runner, assistant, author, interpreter)
        ran = await interpreter.run(code_in(arguments))
    made = (*ran.images, *ran.files)
    for each in made:
        await runner.assistants.save_output(KERNEL, each.name, each.data)
    names = f"[Files, which the person has now: {', '.join(each.name for each in made)}]" if made else None
    return "\n".join(filter(None, (ran.logs, ran.error, names))) or "[It printed nothing.]"


async def _put(runner: Runner, assistant: Assistant, author: str, interpreter: Interpreter) -> None:
    """Put the files into its folder that the code may read and that are still there."""
    resources, reader = assistant.tool_resources, Reader(author)
    for file_id in resources.code_interpreter.file_ids if resources and resources.code_interpreter else ():
        try:
            file = await runner.library.file(reader, file_id)
        except UnknownName:
            continue
        data = b"".join([part async for part in runner.library.content(reader, file_id)])
        await interpreter.put(file.name, data)
