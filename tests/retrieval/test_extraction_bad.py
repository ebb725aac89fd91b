"""Files whose text can't be had: a clear reason, within bounds, and no process stays behind."""

from __future__ import annotations

import io
import os
import random
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from functools import partial

import anyio
import psutil
import pytest

from agentbench.errors import Unreadable
from agentbench.retrieval.extraction import content_type_of, extract, extracting, worker
from agentbench.retrieval.extraction.readers import reader_of
from agentbench.retrieval.extraction.reading import assembled
from documents import pdf, pptx, word, xlsx, zipped

GIB = 1024**3
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
PASSWORD = (
    "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + "00" * 32 + "> /U <" + "11" * 32 + "> >> /ID [<aa> <aa>]"
)
BOMB = {"word/document.xml": bytes(64 * 1024**2)}
NOISE = random.Random(1).randbytes(10_000)  # noqa: S311 - the same noise each time
LINKED = "<!DOCTYPE p [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"


def refusal(data: bytes, name: str, *, seconds: float = 60, memory: int = GIB) -> str:
    """Return why a file can't be read."""
    with pytest.raises(Unreadable) as refused:
        anyio.run(partial(extract, data, name, None, seconds=seconds, memory=memory))
    return refused.value.message


def read_here(data: bytes, name: str) -> str:
    """Read a file in this process, where a reader's own trouble would show as what it is."""
    reader, reason = reader_of(content_type_of(name, data[:8192], None))
    if reader is None:
        raise Unreadable(reason)
    return assembled(worker.read(reader, data, None)).text


def test_empty_file() -> None:
    """A file of no bytes is refused without a reader."""
    assert refusal(b"", "a.pdf") == "This file is empty."


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b" \n\t\r\n", "a.txt", "no text"),
        (b"\xef\xbb\xbf", "a.md", "no text"),
        (b"<html><script>x</script></html>", "a.html", "no text"),
        (pdf([]), "a.pdf", "no pages|damaged"),
        (pdf(["", ""]), "a.pdf", r"no text.*\(OCR\)"),
        (pdf(["text"], trailer=PASSWORD), "a.pdf", "password"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 8, "a.pdf", "damaged"),
        (bytes(range(256)) * 8, "a.pdf", "damaged"),
        (NOISE, "a.txt", "isn't text"),
        (NOISE[::-1], "a", "isn't text"),
        (b"\xff\xfe" + NOISE, "a.txt", "isn't text"),
        (b"\x7fELF" + bytes(200), "a.md", "isn't text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "a.txt", "image"),
        (b"ID3\x03" + bytes(20), "a.mp3", "sound recording"),
        (b"\x00\x00\x00\x20ftypmp42" + bytes(20), "a.ts", "video"),
        (zipped({"a.txt": "hello"}), "a.docx", "archive"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""}), "a.odt", "Save it as"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", "password"),
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", "old format"),
        (OLE + "Workbook".encode("utf-16-le"), "a.xls", "damaged"),
        (word()[:-300], "a.docx", "damaged"),
        (zipped({"word/document.xml": "<w>"}), "a.docx", "damaged"),
        (zipped({"ppt/presentation.xml": "<p"}), "a.pptx", "damaged"),
        (zipped({"xl/workbook.xml": "<p"}), "a.xlsx", "damaged"),
        (zipped(BOMB), "a.docx", "would unpack to 64 MiB"),
        (zipped({f"word/{number}": "" for number in range(20_001)}), "a.docx", "20,001 parts"),
        (b'{"cells": 1}', "a.ipynb", "damaged"),
    ],
)
def test_reason(data: bytes, name: str, reason: str) -> None:
    """What is wrong with a file is said in words, with what to do."""
    with pytest.raises(Unreadable, match=reason):
        read_here(data, name)


def test_one_line_of_50_mb() -> None:
    """A table that is one line of 50 MB is refused for its length, at once."""
    begun = time.monotonic()
    assert "20 million characters" in refusal(b"value," * 8_000_000, "a.csv")
    assert time.monotonic() - begun < 10


def test_sheet_that_unpacks_to_more_than_it_says() -> None:
    """A part that is larger than the archive says is not unpacked further than that."""
    honest = xlsx({"A": [["x" * 40_000_000, "y"]]})
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        sheet = archive.getinfo("xl/worksheets/sheet1.xml")
        short = zlib.crc32(archive.read(sheet)[:1000])
    true = struct.pack("<L", sheet.CRC), struct.pack("<L", sheet.file_size)
    lying = honest.replace(true[0], struct.pack("<L", short)).replace(true[1], struct.pack("<L", 1000))
    assert "damaged" in refusal(lying, "a.xlsx")


def test_entities_are_not_followed() -> None:
    """XML that names a file of this machine doesn't get it, and the rest is read."""
    with zipfile.ZipFile(io.BytesIO(pptx([("Title", "HERE", "none")]))) as original:
        parts = {name: original.read(name).decode() for name in original.namelist()}
    parts["ppt/slides/slide1.xml"] = LINKED + parts["ppt/slides/slide1.xml"].replace("HERE</a:t>", "before</a:t>&x;")
    assert read_here(zipped(parts), "a.pptx") == "# Title\n\nbefore\n\nNotes:\n\nnone"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_too_little_memory() -> None:
    """A reader that wants more memory than it may have is refused it."""
    table = "\n".join(f"{number},{number}" for number in range(700_000)).encode()
    assert "memory" in refusal(table, "a.csv", memory=60 * 1024**2)


def test_too_little_time() -> None:
    """A reader that takes too long is ended, and nothing of it stays."""
    assert "longer than 0.01 s" in refusal(pdf(["text"]), "a.pdf", seconds=0.01)
    assert workers() == []


def test_nobody_waits_any_more() -> None:
    """A reader that nobody waits for any longer is ended."""

    async def run() -> None:
        with anyio.move_on_after(0.2):
            await extract(b"<p>" * 200_000, "a.html", None, seconds=60, memory=GIB)

    anyio.run(run)
    assert workers() == []


def workers() -> list[psutil.Process]:
    """Return the workers of this process that still run, after a moment in which they may end."""
    children = psutil.Process().children()
    _, alive = psutil.wait_procs(children, timeout=2)
    return alive


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
def test_interrupt_is_not_meant_for_the_worker() -> None:
    """The worker is in no group with this process, so that Ctrl+C doesn't end it."""
    with extracting._started(("plain", "", str(GIB), "9"), subprocess.PIPE) as process:
        assert os.getpgid(process.pid) != os.getpgrp()
        process.kill()


def test_worker_gets_no_secrets() -> None:
    """The worker's environment has what Python needs, and no key of anything."""
    given = {"OPENAI_API_KEY": "sk-secret", "PYTHONPATH": "lib", "HOME": "there", "TMPDIR": "tmp"}
    assert extracting._environment(given) == {"PYTHONPATH": "lib", "TMPDIR": "tmp", "PYTHONUTF8": "1"}


def test_worker_starts_with_little() -> None:
    """The worker loads no reader, nor what else the room is made of, before it knows what it reads."""
    code = f"import sys, {worker.__name__}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = ("anyio", "asyncio", "agentbench.protocol", "bs4", "charset_normalizer", "csv", "docx", "lxml", "pypdfium2")
    assert [each for each in heavy if each in loaded] == []
