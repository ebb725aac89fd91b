"""Accounts in an empty database, and issuers on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.auth.issuer import AUDIENCE, issuer_on_loopback, rsa_key

from agentbench.auth.accounts import Accounts
from agentbench.config.remote import Oidc
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from joserfc.jwk import RSAKey
    from tests.auth.issuer import Issuer


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the gateway runs."""
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database, and close it."""
    database = Database(f"sqlite:///{tmp_path / 'accounts.db'}")
    yield database
    database.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    """Give accounts, of which there are none yet."""
    return Accounts(database)


@pytest.fixture(scope="session")
def key() -> RSAKey:
    """Give the issuer's key."""
    return rsa_key()


@pytest.fixture
def issuer(key: RSAKey) -> Iterator[Issuer]:
    """Give an issuer with that key."""
    with issuer_on_loopback() as issuer:
        issuer.publish(key)
        yield issuer


@pytest.fixture
def oidc(issuer: Issuer) -> Oidc:
    """Trust that issuer."""
    return Oidc(issuer=issuer.url, audience=AUDIENCE)
