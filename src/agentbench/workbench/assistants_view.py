"""The assistants for live views: listed, changed, and tried before they are saved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.gateway.stream import Stream
from agentbench.protocol.assistants.tools import CodeInterpreter, FileSearch, FunctionSpec, FunctionTool
from agentbench.runner.assistants.limits import check_tools, text_config, type_of
from agentbench.runner.assistants.personas import answering, chat_agent, functions
from agentbench.runner.question import turn_of
from agentbench.runner.target import model_names
from agentbench.storage.grants import Reader
from agentbench.workbench.adding import add_sources, found_sources
from agentbench.workbench.answerers import Answerer, all_assistants
from agentbench.workbench.coding import code_tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agentbench.config.assistants import AssistantSettings
    from agentbench.gateway.crossing import LoopThread
    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.protocol.assistants.requests import ChangeAssistant, CreateAssistant
    from agentbench.runner import Runner
    from agentbench.storage.assistants import StoredAssistant
    from agentbench.storage.files import StoredFile

    T = TypeVar("T")

__all__ = ["AssistantsView", "StoreFiles"]

_READER = Reader(KERNEL.user)
_LISTED = 100
_KINDS = (FileSearch(), CodeInterpreter(), FunctionTool(function=FunctionSpec(name="any")))


class StoreFiles(NamedTuple):
    """A vector store, the files that were queued for it, and what was refused of them, each with the reason."""

    id: str
    files: tuple[str, ...]
    refused: tuple[str, ...]


class AssistantsView:
    """The assistants as the person at the kernel has them. Any thread may call it, but the loop's."""

    def __init__(self, runner: Runner, loop: Callable[[], LoopThread]) -> None:
        self._runner, self._loop = runner, loop

    @property
    def user(self) -> str:
        """Whose the assistants are that are made here."""
        return KERNEL.user

    @property
    def settings(self) -> AssistantSettings:
        """The settings that hold now."""
        return self._runner.catalog.assistants

    def all(self) -> list[StoredAssistant]:
        """Return the assistants that may be used, the newest first, with their authors."""
        return self._call(self._all)

    def create(self, body: CreateAssistant) -> Assistant:
        """Make an assistant; raises what `Assistants.create` raises."""
        return self._call(partial(self._runner.assistants.create, KERNEL, body))

    def change(self, assistant_id: str, body: ChangeAssistant) -> Assistant:
        """Change an assistant; raises what `Assistants.change` raises."""
        return self._call(partial(self._runner.assistants.change, KERNEL, assistant_id, body))

    def delete(self, assistant_id: str) -> None:
        """Delete an assistant; its vector store and files stay."""
        self._call(partial(self._runner.assistants.delete, KERNEL, assistant_id))

    def models(self) -> list[str]:
        """Return what `model` may be: the agents, every `endpoint/model`, and the names that have a substitute."""
        catalog = self._runner.catalog
        names = [*catalog.agents, *model_names(catalog), *(catalog.assistants.substitutes or ())]
        return [each for each in dict.fromkeys(names) if each != "*"]

    def who_answers(self, model: str) -> str:
        """Return the `endpoint/model` that answers for a model; raises `UnknownName` if nobody does."""
        return answering(self._runner, KERNEL, model).name

    def refusals(self, model: str) -> dict[str, str]:
        """Return the types of tools that an assistant on that model may not have, each with the reason."""
        return {type_of(each): why for each in _KINDS if (why := self._refusal(each, model))}

    def functions(self) -> dict[str, FunctionSpec]:
        """Return the functions of the toolbox, by name."""
        box = self._runner.toolbox
        specs = [each.spec for each in box.those(box.names).values()]
        return {
            each.name: FunctionSpec(name=each.name, description=each.description, parameters=each.parameters)
            for each in specs
        }

    def add_files(self, sources: Sequence[str], *, store: str, name: str) -> StoreFiles:
        """Queue files for a vector store, or for the collection of that name; web pages are fetched meanwhile.

        Raises `InvalidRequest` for a source that matches nothing.
        """
        return self._call(partial(self._add, sources, store, name))

    def wait(self, files: Sequence[str]) -> list[StoredFile]:
        """Wait until files are read, or failed, and return them as they are then."""
        return self._call(partial(self._runner.library.wait, _READER, files))

    def files(self, store: str) -> list[StoredFile]:
        """Return the newest files of a vector store; none if it isn't there."""
        try:
            return self._call(partial(self._runner.library.files, _READER, collection=store, limit=_LISTED))[0]
        except UnknownName:
            return []

    def ask(self, assistant: Assistant, text: str, *, author: str) -> Stream:
        """Start the answer that an assistant would give, whether it is saved or not; the answer isn't stored.

        The `author`'s right to read its files counts. Functions of the toolbox and code run here, where it may; nobody
        is asked, so a function that wants a yes is refused. Raises `InvalidRequest` for tools that it may not have, and
        `UnknownName` if nobody answers for its model.
        """
        loop = self._loop()
        check_tools(self.settings, assistant.tools, model=assistant.model)
        turn = turn_of(self._runner.catalog, text, past=(), store=False)
        turn, here = self._call(partial(self._answerer, assistant, author)).answers(turn, self._runner)
        return Stream(self._runner.start(turn, tools=here), loop)

    async def _answerer(self, assistant: Assistant, author: str) -> Answerer:
        agent = chat_agent(self._runner.catalog, assistant, answering(self._runner, KERNEL, assistant.model))
        types = set(map(type_of, assistant.tools))
        resources = assistant.tool_resources if "file_search" in types else None
        documents = await self._runner.assistants.documents(author, resources)
        code = code_tool(self._runner, assistant, author) if "code_interpreter" in types else None
        return Answerer(agent, documents, functions(assistant.tools), code, text_config(assistant.response_format))

    async def _all(self) -> list[StoredAssistant]:
        desk = self._runner.assistants
        found = []
        for each in await all_assistants(self._runner):
            try:
                found.append(await desk.stored(KERNEL, each.id))
            except UnknownName:  # deleted meanwhile
                continue
        return found

    async def _add(self, sources: Sequence[str], store: str, name: str) -> StoreFiles:
        library = self._runner.library
        found = await found_sources(sources)
        try:
            made = await library.collection(_READER, store or name, write=True)
        except UnknownName:
            if store:
                raise
            made = await library.create(_READER, name)
        added = await add_sources(library, _READER, found, collection=made.id)
        ids = tuple(each.id for each in added.files)
        await library.join(_READER, made.id, ids)
        return StoreFiles(made.id, ids, tuple(added.refused))

    def _refusal(self, tool: CodeInterpreter | FileSearch | FunctionTool, model: str) -> str:
        try:
            check_tools(self.settings, (tool,), model=model)
        except InvalidRequest as error:
            return error.message
        return ""

    def _call(self, job: Callable[[], Awaitable[T]]) -> T:
        return self._loop().portal.call(job)
