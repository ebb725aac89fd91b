"""Certificates that can't be verified, against a real server on loopback."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agentbench.errors import UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agentbench.config import Endpoint
    from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio


@pytest.fixture
def self_signed(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate for `localhost` that nobody else has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    file = tmp_path / "localhost.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
async def url(self_signed: Path) -> AsyncIterator[str]:
    """Serve nothing under that certificate, and return the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    async with await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def test_unknown_certificate(http: Http, endpoint: Endpoint, url: str, waits: list[float]) -> None:
    """A certificate that can't be verified is told as that, at the first try."""
    with pytest.raises(UpstreamUnavailable) as caught:
        await http.get_json("/models", msgspec.structs.replace(endpoint, base_url=url))
    assert caught.value.message == (
        "acme's certificate can't be verified: self-signed certificate. "
        f"Correct baseURL: {url}, or name the certificates to trust in SSL_CERT_FILE."
    )
    assert waits == []
