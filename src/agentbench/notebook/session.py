"""What the magics of one kernel share: the workbench, the conversation, the last result."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

from agentbench.errors import InvalidRequest, StorageError, UnknownName
from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.gateway.serve import LoopServer
    from agentbench.notebook.result import Result
    from agentbench.notebook.widgets.chat import ChatWidget
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench import Workbench
    from agentbench.workbench.looking_into import Documents

__all__ = ["Session"]

DEFAULT_PORT = 8017


class Session:
    """One kernel's state. `make` makes the workbench when it is first needed."""

    def __init__(self, make: Callable[[], Workbench]) -> None:
        self.id = new_id("kernel")
        self.conversation: Conversation | None = None
        self.last: Result | None = None
        self.interrupted_run = ""  # of the cell in which an answer was interrupted last
        self.told: str | None = None  # what was wrong with the database when it took, or didn't take, the last answer
        self.listed: tuple[str, ...] = ()  # the conversations that were listed last, by their numbers
        self.branched: tuple[str, str, int] | None = None  # the conversation and cell, and after which turn
        self.problem: BaseException | None = None  # that was to be explained last
        self.fix_failed: BaseException | None = None  # what kept the explanation from coming
        self._chats: WeakSet[ChatWidget] = WeakSet()
        self._make = make
        self._bench: Workbench | None = None
        self._owns_bench = False
        self._server: LoopServer | None = None

    @property
    def bench(self) -> Workbench:
        """The workbench; made here unless one was given."""
        if self._bench is None:
            self._bench, self._owns_bench = self._make(), True
        return self._bench

    @property
    def has_bench(self) -> bool:
        """Whether there is a workbench already; asking for `bench` would make one."""
        return self._bench is not None

    def use_bench(self, bench: Workbench) -> None:
        """Take another workbench, and forget what belonged to the one before, but for the notebook's budget."""
        budget = None if self._bench is None else self._bench.budgets.standing
        self.close()
        self._bench = bench
        if budget is not None:
            bench.budgets.standing = budget
        self.conversation, self.listed = None, ()

    def conversation_for(self, agent: str) -> Conversation:
        """Return the conversation to continue; the first question begins one."""
        with suppress(StorageError):  # the answer will tell
            self.look()
        if self.conversation is None:
            self.conversation = self.bench.start_conversation(agent=agent)
        return self.conversation

    def chat(self, agent: str, model: str | None, files: Documents = ()) -> ChatWidget:
        """Return a chat in the current conversation; while that is this session's, each follows the other.

        Its answers rest on `files`.
        """
        from agentbench.notebook.widgets.chat import ChatWidget

        bench, followed = self.bench, _id_of(self.conversation)

        def follow(conversation: Conversation | None) -> None:
            nonlocal followed
            if self._bench is bench and followed == _id_of(self.conversation):
                self.conversation = conversation
            followed = _id_of(conversation)

        made = ChatWidget(bench, agent=agent, model=model, conversation=self.conversation, files=files, follow=follow)
        self._chats.add(made)
        return made

    def tell_chats(self) -> None:
        """Let the chats that are open show what was said in their conversations elsewhere."""
        for chat in list(self._chats):
            chat.look()

    def look(self) -> Conversation | None:
        """Return the current conversation as it is now: its title may have come late, or it was deleted."""
        if self.conversation is not None:
            self.conversation = self.bench.conversation(self.conversation.id)
        return self.conversation

    def find(self, name: str) -> Conversation:
        """Return an earlier conversation, by its number in the last list, its id, or (a part of) its title.

        Raises `UnknownName` if there is none, `InvalidRequest` if there are several.
        """
        number = int(name) if name.isdecimal() else 0
        if 0 < number <= len(self.listed):
            name = self.listed[number - 1]
        try:
            return self.bench.find_conversation(name)
        except UnknownName:
            if number:
                raise InvalidRequest(
                    f"There is no conversation {number} now. List them: %agent history --all"
                ) from None
            raise

    def serve(self, port: int | None) -> str:
        """Serve the workbench on this machine and return the address; without a port, a server that runs will do."""
        if self._server is None or not self._server.is_running or port is not None:
            self._server = self.bench.serve(port=DEFAULT_PORT if port is None else port)
        return self._server.url

    def stop_serving(self) -> str:
        """Stop what `serve` started and return the address that it had; raise `InvalidRequest` if nothing is served."""
        server, self._server = self._server, None
        if server is None or not server.is_running:
            raise InvalidRequest("Nothing is served here. To start: %agent serve")
        server.stop()
        return server.url

    def close(self) -> None:
        """Stop serving, and close the workbench if it was made here."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._bench is not None and self._owns_bench:
            self._bench.close()
        self._bench, self._owns_bench = None, False


def _id_of(conversation: Conversation | None) -> str | None:
    return None if conversation is None else conversation.id
