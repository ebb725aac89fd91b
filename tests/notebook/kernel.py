"""Run cells in a real kernel, and see every message that a notebook would get."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient

__all__ = ["Done", "Kernel", "Output", "started"]

LONGEST = 30.0
OUTPUTS = ("display_data", "update_display_data", "execute_result", "stream", "error")


class Output(NamedTuple):
    """An output message; `seconds` is when it came, counted from the cell's start."""

    kind: str
    content: dict[str, Any]
    seconds: float

    @property
    def text(self) -> str:
        """The output as plain text."""
        return str(self.content.get("data", {}).get("text/plain", self.content.get("text", "")))


class Done(NamedTuple):
    """A cell that has run: the reply, its outputs in order, and how long it took."""

    reply: dict[str, Any]
    outputs: list[Output]
    seconds: float

    @property
    def kinds(self) -> list[str]:
        """The outputs' kinds."""
        return [output.kind for output in self.outputs]

    @property
    def stored(self) -> dict[str, Any]:
        """What the notebook file keeps of the cell's only display: its last state."""
        assert self.kinds.count("display_data") == 1
        data: dict[str, Any] = [each for each in self.outputs if each.kind.endswith("display_data")][-1].content["data"]
        return data


class Kernel:
    """A running kernel and the one who talks to it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client

    def run(self, code: str, *, cell_id: str | None = None, watch: Callable[[Output], None] | None = None) -> Done:
        """Run a cell to its end; `watch` sees each output as it comes."""
        started = time.monotonic()
        message = self._client.session.msg("execute_request", _request(code), metadata=_metadata(cell_id))
        self._client.shell_channel.send(message)
        outputs: list[Output] = []
        for kind, content in self._published(message["header"]["msg_id"]):
            if kind in OUTPUTS:
                outputs.append(Output(kind, content, time.monotonic() - started))
                if watch is not None:
                    watch(outputs[-1])
        return Done(self._reply(message["header"]["msg_id"]), outputs, time.monotonic() - started)

    def value(self, code: str) -> str:
        """Run a cell and return how its value is shown."""
        done = self.run(code)
        assert done.kinds == ["execute_result"], done
        return done.outputs[0].text

    def interrupt(self) -> None:
        """Do what the stop button does."""
        self._manager.interrupt_kernel()

    def _reply(self, parent: str) -> dict[str, Any]:
        while True:
            message = self._client.get_shell_msg(timeout=LONGEST)
            if message["parent_header"].get("msg_id") == parent:
                content: dict[str, Any] = message["content"]
                return content

    def _published(self, parent: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what the kernel publishes for a request until it is idle again."""
        while True:
            message = self._client.get_iopub_msg(timeout=LONGEST)
            if message["parent_header"].get("msg_id") != parent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            yield kind, content


def _request(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }


def _metadata(cell_id: str | None) -> dict[str, str]:
    return {} if cell_id is None else {"cellId": cell_id}


@contextmanager
def started(home: Path, set_up: str) -> Iterator[Kernel]:
    """Start a kernel with that home, and run a cell in it."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | {"AGENTBENCH_HOME": str(home)})
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    kernel = Kernel(manager, client)
    assert kernel.run(set_up).reply["status"] == "ok"
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)
