"""The API keys of the person at this kernel."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL
from agentbench.workbench.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.auth.accounts import NewKey
    from agentbench.storage.keys import ApiKey

__all__ = ["Keys"]


class Keys(Parts):
    """Makes keys and takes them back."""

    def create_key(
        self,
        name: str,
        *,
        expires: str | None = None,
        agents: Sequence[str] | None = None,
        requests_per_minute: int | None = None,
    ) -> NewKey:
        """Make an API key that acts for the person at this kernel; its `secret` is shown to nobody again.

        `expires` is a time span or a date (`30d`, `2027-01-31`); `agents` are the ids that it may use (default: all).
        """
        from agentbench.auth.accounts import Accounts
        from agentbench.auth.commands import moment

        known = None if agents is None else [self.catalog.agent(each).id for each in agents]
        job = partial(
            Accounts(self._database).create_key,
            KERNEL.user,
            name=name,
            expires_at=None if expires is None else moment(expires, datetime.now(UTC)),
            agents=known,
            requests_per_minute=requests_per_minute,
        )
        return self._open_loop().portal.call(job)

    def keys(self) -> list[ApiKey]:
        """Return the API keys of the person at this kernel, newest first, without their secrets."""
        from agentbench.auth.accounts import Accounts

        return self._open_loop().portal.call(Accounts(self._database).keys, KERNEL.user)

    def revoke_key(self, key_id: str) -> None:
        """Take back a key of the person at this kernel; raises `UnknownName` if there is none of that id."""
        from agentbench.auth.accounts import Accounts

        self._open_loop().portal.call(partial(Accounts(self._database).revoke_key, key_id, user=KERNEL.user))
