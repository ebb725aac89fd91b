"""An issuer on loopback that gives out whatever keys a test wants, and tokens made by hand."""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AUDIENCE", "Issuer", "Key", "ec_key", "issuer_on_loopback", "rsa_key", "signed"]

AUDIENCE = "agents"
ALGORITHMS = [f"{kind}{size}" for kind in ("RS", "PS", "ES", "HS") for size in (256, 384, 512)] + ["none"]
Key = RSAKey | ECKey | OctKey


class Issuer:
    """Says what a test sets: `documents` by path (bytes, or what JSON holds), `status`; counts what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.documents: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
        }

    def publish(self, *keys: Key, **parts: str) -> None:
        """Give out the public halves of these keys, each with these parts besides."""
        self.documents["/keys"] = {"keys": [key.as_dict(private=False) | parts for key in keys]}

    @property
    def fetches(self) -> int:
        """How often its keys were asked for."""
        return self.asked.count("/keys")


@contextmanager
def issuer_on_loopback() -> Iterator[Issuer]:
    """Run an issuer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            document = issuer.documents.get(self.path)
            body = document if isinstance(document, bytes) else msgspec.json.encode(document)
            self.send_response(404 if document is None else issuer.status)
            for name, value in {"content-length": str(len(body)), **issuer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield issuer
        server.shutdown()
        thread.join()


def rsa_key(kid: str = "one", size: int = 2048) -> RSAKey:
    """Make an RSA key."""
    return RSAKey.generate_key(size, {"kid": kid})


def ec_key(curve: str, kid: str = "one") -> ECKey:
    """Make a key on a curve."""
    return ECKey.generate_key(curve, {"kid": kid})


def signed(issuer: Issuer, key: Key, algorithm: str = "RS256", *, header: Any = None, **claims: Any) -> str:
    """Return a token that is right but for the claims and header given here; None takes a value away."""
    now = int(time.time())
    right = {
        "iss": issuer.url,
        "aud": AUDIENCE,
        "sub": "ann-1",
        "email": "ann@example.org",
        "exp": now + 60,
        "iat": now,
    }
    given = {name: value for name, value in (right | claims).items() if value is not None}
    wanted = {"alg": algorithm, "kid": key.kid} | (header or {})
    head = {name: value for name, value in wanted.items() if value is not None}
    return jwt.encode(head, given, key, algorithms=ALGORITHMS)
