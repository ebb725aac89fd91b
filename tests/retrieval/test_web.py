"""Web pages are fetched from the public internet only, within limits of size and time."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio
import httpx2
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agentbench.config.retrieval import RetrievalSettings
from agentbench.errors import InvalidRequest, RequestTooLarge, Unreadable
from agentbench.retrieval import web
from agentbench.retrieval.addresses import public
from agentbench.retrieval.web import Page, fetch_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCAL = RetrievalSettings(local_addresses=True, web_time=5)
PUBLIC = RetrievalSettings(web_time=5)


def answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return a response as it goes over the wire."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


class Server:
    """Answers each request with the next of the answers, and keeps what it was asked."""

    def __init__(self, *answers: bytes, certificate: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.certificate = certificate
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection; without an answer left, say a byte of a head from time to time."""
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        try:
            if self.answers:
                writer.write(self.answers.pop(0))
                await writer.drain()
            while not self.answers and not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.CancelledError):  # the test is over
            return
        finally:
            writer.close()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Make a certificate for `pages.test` that is trusted here, and return what a server presents it with."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pages.test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    named = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("pages.test")]), critical=False)
    file = tmp_path / "pages.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + named.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


def fetch(
    server: Server,
    settings: RetrievalSettings = LOCAL,
    url: str = "http://127.0.0.1:{port}/a%20b.html",
    **given: object,
) -> Page:
    """Fetch a page of the server."""

    async def run() -> Page:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=server.certificate)
        port = listening.sockets[0].getsockname()[1]
        try:
            return await fetch_page(url.format(port=port), settings, **given)  # type: ignore[arg-type]
        finally:
            listening.close()

    return anyio.run(run)


def resolver(*rounds: str) -> Callable[[str, int], object]:
    """Return a look-up that gives these addresses, another each time."""
    left = list(rounds)

    async def look_up(host: str, port: int) -> list[str]:
        return [left.pop(0)]

    return look_up


def test_page_is_fetched() -> None:
    """A page comes with its address, a name, and the type that its server says."""
    page = fetch(Server(answer(b"<p>Hi", content_type="text/html; charset=utf-8")))
    assert (page.name, page.content_type, page.data) == ("a b.html", "text/html; charset=utf-8", b"<p>Hi")


def test_name_is_looked_up_once_and_sent_as_it_is() -> None:
    """The connection goes to the address that was checked, and the server is asked by its name."""
    server = Server(answer(b"x"))
    page = fetch(server, url="http://pages.test:{port}/", look_up=resolver("127.0.0.1"))
    host = page.url.removeprefix("http://").rstrip("/")
    assert f"host: {host}\r\n" in server.asked[0].lower()
    assert page.name == "pages.test"


def test_certificate_is_of_the_name(certificate: ssl.SSLContext) -> None:
    """Over https the certificate is checked for the name of the page, not for the address connected to."""
    page = fetch(
        Server(answer(b"x"), certificate=certificate), url="https://pages.test:{port}/", look_up=resolver("127.0.0.1")
    )
    assert page.data == b"x"
    with pytest.raises(InvalidRequest, match=r"certificate can't be verified: .*other\.test"):
        fetch(Server(certificate=certificate), url="https://other.test:{port}/", look_up=resolver("127.0.0.1"))


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment, which would look the name up itself, is left out."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    assert fetch(Server(answer(b"x"))).data == b"x"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"],  # noqa: S104 - it is refused
)
def test_local_addresses_are_refused(host: str) -> None:
    """This machine and its network are not fetched from, by whatever way they are written."""
    with pytest.raises(InvalidRequest, match="public internet"):
        anyio.run(fetch_page, f"http://{host}:9/", PUBLIC)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:93.184.216.34", False),
        ("64:ff9b::5db8:d822", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses(address: str, *, expected: bool) -> None:
    """Only addresses of the public internet are public; with one that isn't, none is."""
    assert public([address]) is expected
    assert public([address, "127.0.0.1"]) is False


def test_redirect_to_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address that a redirect leads to is checked again, also if it is the same name as before."""
    there = resolver("127.0.0.1", "127.0.0.1")
    seen = iter([True, False])
    server = Server(answer(b"", "302 Found", location="/secret"), answer(b"secret"))
    monkeypatch.setattr(web, "public", lambda _: next(seen))
    with pytest.raises(InvalidRequest, match="public internet"):
        fetch(server, PUBLIC, "http://pages.test:{port}/", look_up=there)
    assert len(server.asked) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://x/", "http://me:pw@x/"])
def test_redirect_to_no_web_page_is_refused(location: str) -> None:
    """A redirect leads to web pages only."""
    with pytest.raises(InvalidRequest):
        fetch(Server(answer(b"", "301 Moved", location=location)))


def test_redirects_are_followed_but_not_for_ever() -> None:
    """A page that has moved is found where it is; a circle of redirects is left."""
    moved = answer(b"", "307 Moved", location="/new.txt#part", connection="close")
    assert fetch(Server(moved, answer(b"x"))).name == "new.txt"
    with pytest.raises(InvalidRequest, match="redirects more than 5 times"):
        fetch(Server(*[moved] * 8))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "file:///etc/passwd",
        "ftp://x.org/",
        "javascript:alert(1)",
        "http://",
        "http://me:secret@x.org/",
        "http://[::",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """What isn't the address of a web page, or holds a password, is refused without telling it again."""
    with pytest.raises(InvalidRequest) as refused:
        anyio.run(fetch_page, url, PUBLIC)
    assert "secret" not in refused.value.message


def test_large_page_is_refused() -> None:
    """A page that is larger than the limit is left when it gets there."""
    with pytest.raises(RequestTooLarge, match="more than 1,000 bytes"):
        fetch(Server(answer(b"x" * 5000)), msgspec.structs.replace(LOCAL, largest_page=1000))


def test_packed_page_is_unpacked_within_the_limit() -> None:
    """A packed page is unpacked; one that would be very large is left when the limit is passed."""
    assert fetch(Server(answer(gzip.compress(b"hello"), content_encoding="gzip"))).data == b"hello"
    bomb = gzip.compress(bytes(30_000_000))
    with pytest.raises(RequestTooLarge):
        fetch(Server(answer(bomb, content_encoding="gzip")), msgspec.structs.replace(LOCAL, largest_page=2_000_000))
    with pytest.raises(InvalidRequest, match="'br'"):
        fetch(Server(answer(b"x", content_encoding="br")))


def test_slow_page_is_left() -> None:
    """A server that keeps the connection alive with a byte now and then doesn't hold it longer than the limit."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"
    for answers in ((), (head,)):
        with pytest.raises(InvalidRequest, match=r"didn't answer within 0\.3 s"):
            fetch(Server(*answers), msgspec.structs.replace(LOCAL, web_time=0.3))


@pytest.mark.parametrize(
    ("given", "error", "reason"),
    [
        (answer(b"", "404 Not Found"), InvalidRequest, "answered 404"),
        (answer(b""), Unreadable, "is empty"),
        (answer(b"\x00\x01", content_encoding="gzip"), InvalidRequest, "damaged"),
        (b"nonsense\r\n\r\n", InvalidRequest, "can't be fetched"),
    ],
)
def test_other_answers(given: bytes, error: type[InvalidRequest], reason: str) -> None:
    """An answer that isn't a page is told as what it is, without the query of its address."""
    with pytest.raises(error, match=reason) as refused:
        fetch(Server(given), url="http://127.0.0.1:{port}/p?token=secret")
    assert "secret" not in refused.value.message


def test_no_connection() -> None:
    """A host that takes no connection is said to take none."""
    with pytest.raises(InvalidRequest, match="there is no connection"):
        anyio.run(partial(fetch_page, "http://127.0.0.1:9/", LOCAL))


def test_url_is_shown_in_punycode() -> None:
    """A name in other letters is looked up and asked for in ASCII."""
    server = Server(answer(b"x"))
    fetch(server, url="http://한글.test:{port}/", look_up=resolver("127.0.0.1"))
    assert httpx2.URL("http://한글.test").raw_host.decode() in server.asked[0]
