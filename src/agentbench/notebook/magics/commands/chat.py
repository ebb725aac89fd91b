"""`%agent chat`: ask, and see the answer come."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from agentbench.errors import AnswerFailed, InvalidRequest
from agentbench.notebook.magics.interpolate import interpolate, lookup
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.result import Result
    from agentbench.notebook.widgets.chat import ChatWidget
    from agentbench.protocol.items import FunctionCall
    from agentbench.runner.quote import Quote

__all__ = ["Chat"]

# Where an option of this call overrides one that `%config AgentMagics` sets.
_PARAMETERS = ("temperature", "max_output_tokens")
_OF_A_CHAT = {"agent", "model", "to", "files"}
"""The options that make sense without a prompt."""


class Chat:
    """Ask an agent."""

    name = "chat"
    summary = "Ask, and see the answer come; without a prompt, open a chat. In a %%agent cell the body is the prompt."
    argument = "[PROMPT]"
    options: tuple[Option, ...] = (
        Option(("-a", "--agent"), "which agent or assistant answers, for this call", "AGENT", completes="answerers"),
        Option(("-m", "--model"), "which model answers, for this call", "ENDPOINT/MODEL", completes="models"),
        Option(("-t", "--temperature"), "0 is sober, 2 is wild", "NUMBER", float),
        Option(("--max", "--max-output-tokens"), "stop after so many tokens", "TOKENS", int),
        Option(("--system",), "instructions for this call, after the agent's own", "TEXT"),
        Option(("--to",), "keep the result in a variable of this name", "NAME"),
        Option(("--raw",), "send {{braces}} as they are, without putting values in"),
        Option(
            ("--json",),
            "answer in JSON of this shape: a variable with a schema or a model class",
            "SCHEMA_VAR",
            completes="variables",
        ),
        Option(
            ("--tools",),
            "functions that the model may call, by variable name; several with commas",
            "FUNCTIONS",
            completes="variables",
        ),
        Option(
            ("-f", "--files"),
            "what the answer may rest on: collections, files, web pages; several with commas",
            "NAMES",
            completes="collections",
        ),
        Option(("--image",), "show the model an image", "PATH_OR_VAR", completes="variables"),
        Option(("--dry-run",), "ask nobody; show what it would cost on each model"),
    )

    async def run(self, call: Call) -> Result | Table | ChatWidget:
        """Show the answer as it comes, or a chat; raise `AnswerFailed` if the answer breaks off."""
        if _is_for_view(call):
            return _open(call)
        return await self.ask(call, self._prompt(call))

    async def ask(self, call: Call, prompt: str) -> Result | Table:
        """Show the answer to a prompt as it comes, or with `--dry-run` what it would cost."""
        options = self._options(call)
        if call.options.get("dry_run"):
            return _show(call.session.bench.quote(prompt, conversation=call.session.conversation, **options))
        return await self._answer(call, prompt, options)

    async def _answer(self, call: Call, prompt: str, options: dict[str, Any]) -> Result:
        from agentbench.notebook.display import draw

        conversation = call.session.conversation_for(call.agent)
        stream = call.session.bench.stream(prompt, conversation=conversation, approve=_ask_person, **options)
        again = call.session.interrupted_run == call.cell.run
        told = call.session.told
        result = await draw(stream, call.magics.canvas(), blocking=call.blocking, interrupted=again, told=told)
        call.session.last, call.session.told = result, stream.run.warning
        details = result.response.incomplete_details
        if details is not None and details.reason == "interrupted":
            call.session.interrupted_run = call.cell.run
        if name := call.options.get("to"):
            call.namespace[name] = result
        call.session.tell_chats()
        if (error := result.response.error) is not None:
            raise AnswerFailed(error.message, result.response)
        return result

    def _prompt(self, call: Call) -> str:
        text = "\n".join(part for part in (call.text, (call.body or "").strip("\n")) if part)
        if not text.strip():
            raise InvalidRequest("The prompt is empty. Write it after the options, or in the body of a %%agent cell.")
        return text if call.options.get("raw") else interpolate(text, call.namespace)

    def _options(self, call: Call) -> dict[str, Any]:
        from agentbench.notebook.magics.images import image_url

        options: dict[str, Any] = {name: value for name in _PARAMETERS if (value := _given(call, name)) is not None}
        options |= {"agent": call.agent, "model": call.model, "cell": call.cell}
        options["instructions"] = call.options.get("system")
        if (name := call.options.get("json")) is not None:
            options["schema"] = lookup(name, call.namespace, option="--json")
        if (names := call.options.get("tools")) is not None:
            options["functions"] = [lookup(name.strip(), call.namespace, option="--tools") for name in names.split(",")]
        if (files := call.options.get("files")) is not None:
            options["files"] = _names(files)
        if (image := call.options.get("image")) is not None:
            options["images"] = [image_url(image, call.namespace)]
        if (to := call.options.get("to")) is not None and (not to.isidentifier() or iskeyword(to)):
            raise InvalidRequest(f"--to {to}: that can't be a variable's name.")
        return options


def _is_for_view(call: Call) -> bool:
    """Tell whether a chat is to be opened: nothing is asked, in no way."""
    return not (call.text.strip() or call.body is not None or call.options.keys() - _OF_A_CHAT)


def _open(call: Call) -> ChatWidget:
    from IPython.display import display

    if not hasattr(call.magics.ip, "kernel"):
        raise InvalidRequest("The chat view needs a notebook. Here, write a prompt: %agent chat Why is the sky blue?")
    chat = call.session.chat(call.agent, call.model, _names(call.options.get("files") or ""))
    display(chat)
    if name := call.options.get("to"):
        call.namespace[name] = chat
    return chat


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _given(call: Call, name: str) -> Any:
    return call.options.get(name, getattr(call.magics, name))


def _show(quotes: Sequence[Quote]) -> Table:
    """Show what was quoted, as an answer is shown, and return it."""
    from IPython.display import display

    from agentbench.runner.budget import dollars

    rows = [
        (
            f"{quote.name} ←" if quote.chosen else quote.name,
            f"~{quote.input_tokens:,}",
            "unknown" if quote.input_usd is None else f"~{dollars(quote.input_usd)}",
            "unknown" if quote.worst_usd is None else f"~{dollars(quote.worst_usd)}",
            f"{quote.max_output_tokens:,}",
        )
        for quote in quotes
    ]
    note = "Nothing was sent. Estimates, of one call of the model; ← would answer. Prices: %agent prices"
    table = Table(("model", "input tokens", "input", "at most", "with output tokens"), rows, note=note)
    display(table)
    return table


def _ask_person(wanted: FunctionCall) -> bool:
    """Ask at the cell; an interrupt is to the answer what it always is."""
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in wanted.arguments)
    try:
        with _interruptible():
            answer = input(f"Run {wanted.name}({shown})? [y/N] ")
    except KeyboardInterrupt:
        if _in_task():  # whose event loop would end with it
            raise asyncio.CancelledError from None
        raise
    except (EOFError, NotImplementedError):  # the notebook runs with nobody to ask
        return False
    return answer.strip().lower() in ("y", "yes")


def _in_task() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt end what waits here: while an answer is drawn it would only be noted."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
