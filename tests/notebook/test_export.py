from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import traitlets

from agentbench import export
from agentbench.errors import InvalidRequest
from agentbench.notebook.records import Record
from agentbench.notebook.widgets.base import BenchWidget
from agentbench.protocol.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path


class Page(BenchWidget):
    """A widget for these tests."""

    bundle = "chat"
    title = traitlets.Unicode("a </script><script>b").tag(sync=True)
    data = traitlets.Bytes(b"\xff\x00").tag(sync=True)

    def record(self) -> Record:
        """Return a twin."""
        return Record("<p>the twin</p>", "the twin", "the twin")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the page goes."""
    return tmp_path / "run.html"


def test_the_file_may_be_named_first_or_last(file: Path) -> None:
    """Both orders are read, and the path comes back."""
    assert export(str(file), Page()) == export(Page(), file) == file


@pytest.mark.parametrize("things", [(), ("run.txt",), ("run.html",), (Page(),), (Page(), "conv_1"), ("x.html", 5)])
def test_what_cannot_be_written_is_told(things: tuple[Any, ...]) -> None:
    """No file, a file of another kind, or nothing to write is an error that says what to do."""
    with pytest.raises(InvalidRequest, match="export"):
        export(*things)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """What can't be written is an error with its reason."""
    with pytest.raises(InvalidRequest, match="No such file or directory"):
        export(tmp_path / "nowhere" / "x.html", Page())


def test_a_recording_needs_no_workbench(file: Path) -> None:
    """A recording of any server can be written where no magics are loaded."""
    page = export(Recording(source="a server", events=({"type": "response.created"},)), file).read_text()
    assert '"bundle":"inspector"' in page


def test_the_page_holds_state_and_record(file: Path) -> None:
    """The state is in the page as JSON, the record beside it for those without scripts."""
    page = export(file, Page()).read_text()
    data = msgspec.json.decode(re.findall(r'id="agentbench-page">(.*?)</script>', page)[0])
    [widget] = data["widgets"]
    assert widget["traits"] == {"title": "a </script><script>b", "data": base64.b64encode(b"\xff\x00").decode()}
    assert widget["binary"] == ["data"]
    assert "<p>the twin</p>" in page


def test_state_cannot_leave_its_script(file: Path) -> None:
    """Text that would end the script element doesn't."""
    assert export(file, Page()).read_text().count("</script>") == 2


def test_only_our_script_may_run(file: Path) -> None:
    """The policy allows the page's own script by its hash, the bundles as blobs, and no request at all."""
    page = export(file, Page()).read_text()
    script = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = unescape(re.findall(r'Content-Security-Policy" content="(.*?)">', page)[0])
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}' blob:;")


def test_a_bundle_is_there_once(file: Path) -> None:
    """Two widgets of a kind share their script."""
    one, two = (export(file, *(Page() for _ in range(number))).stat().st_size for number in (1, 2))
    assert two - one < 1000


def test_the_title_is_escaped(file: Path) -> None:
    """A title is text, whatever it holds."""
    assert "<title>&lt;b&gt;</title>" in export(file, Page(), title="<b>").read_text()
