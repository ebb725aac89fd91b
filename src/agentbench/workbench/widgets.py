"""The widgets of a workbench. They belong to the notebook's room, above this one, and are fetched when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from agentbench.auth.principal import KERNEL
from agentbench.storage.grants import Reader
from agentbench.workbench.parts import Parts

if TYPE_CHECKING:
    from typing import Unpack

    from agentbench.frames.ledger import Chosen
    from agentbench.notebook.widgets.builder import AssistantForm
    from agentbench.notebook.widgets.chat import ChatWidget
    from agentbench.notebook.widgets.dashboard import Dashboard
    from agentbench.notebook.widgets.inspector import Inspectable, Inspector
    from agentbench.notebook.widgets.tuner import Tuner
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench.assistants_view import AssistantsView
    from agentbench.workbench.library_view import LibraryView
    from agentbench.workbench.looking_into import Documents
    from agentbench.workbench.workbench import Workbench

__all__ = ["Widgets"]


class Widgets(Parts):
    """Opens widgets on this workbench, for a notebook to show."""

    def chat(
        self,
        agent: str | None = None,
        *,
        model: str | None = None,
        conversation: Conversation | str | None = None,
        files: Documents = (),
    ) -> ChatWidget:
        """Return a chat with an agent (default: the first), in a new conversation or one that is named.

        Its answers rest on `files` from the beginning: collections, files, paths, web pages.
        """
        from agentbench.notebook.widgets.chat import ChatWidget

        return ChatWidget(self._bench, agent=agent, model=model, conversation=conversation, files=files)

    @property
    def library_view(self) -> LibraryView:
        """The files and collections, as live views use them."""
        from agentbench.workbench.library_view import LibraryView

        reader = Reader(KERNEL.user)
        return LibraryView(self._runner.library, reader, self._database, lambda: self._open_loop().portal)

    def inspect(self, run: Inspectable | None = None, *, beside: Inspectable | None = None) -> Inspector:
        """Return an inspector of a run, the newest by default, and of another one beside it.

        A run is a response or its id, a `Result`, a `Stream` that has ended, a `Recording`, or a file of events.
        """
        from agentbench.notebook.widgets.inspector import open_inspector

        return open_inspector(self._bench, run, beside=beside)

    def tune(self, endpoint: str | None = None) -> Tuner:
        """Return a form for the settings of the endpoints, opened at one of them."""
        from agentbench.notebook.widgets.tuner import Tuner

        return Tuner(self._bench, endpoint=endpoint)

    def assistant_form(self, assistant: str | None = None) -> AssistantForm:
        """Return a form to make, change and try an assistant, opened at one of them, by id or name, or at a new one.

        Raises `PermissionDenied` where nobody may make assistants, `UnknownName` if there is none of that name.
        """
        from agentbench.notebook.widgets.builder import AssistantForm

        return AssistantForm(self._bench, assistant=assistant)

    @property
    def assistants_view(self) -> AssistantsView:
        """The assistants, as live views use them."""
        from agentbench.workbench.assistants_view import AssistantsView

        return AssistantsView(self._runner, self._open_loop)

    def dashboard(self, **chosen: Unpack[Chosen]) -> Dashboard:
        """Return a live view of the ledger; takes what `usage` takes to choose rows."""
        from agentbench.notebook.widgets.dashboard import Dashboard

        return Dashboard(self._bench, **chosen)

    @property
    def _bench(self) -> Workbench:
        return cast("Workbench", self)  # the one class that has all sides
