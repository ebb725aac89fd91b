"""What a file is said to be, by its bytes, its name and by whom it came."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentbench.retrieval.extraction import content_type_of
from documents import pdf, pptx, word, xlsx

OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("name", "head", "said", "expected"),
    [
        ("a.txt", pdf(["x"]), "text/plain", "application/pdf"),
        ("a.bin", word()[:8192], None, f"{OFFICE}wordprocessingml.document"),
        ("a", pptx([("a", "b", "c")]), None, f"{OFFICE}presentationml.presentation"),
        ("a.zip", xlsx({"A": [["x"]]}), "application/zip", f"{OFFICE}spreadsheetml.sheet"),
        ("a.docx", b"PK\x03\x04" + bytes(60), None, f"{OFFICE}wordprocessingml.document"),
        ("a.md", b"PK\x03\x04" + bytes(60), "text/markdown", "application/zip"),
        ("a.txt", b"\x89PNG\r\n\x1a\n", "text/plain", "image/png"),
        ("a.csv", b"\x1f\x8b\x08\x00", None, "application/gzip"),
        ("main.ts", b"export const a = 1", "video/mp2t", "text/x-typescript"),
        ("A.PY", b"x = 1", "application/octet-stream", "text/x-python"),
        ("notes.md", b"# Hi", "image/png", "text/markdown"),
        ("notes", b"# Hi", "text/markdown; charset=utf-8", "text/markdown"),
        ("notes", b"# Hi", "image/png", "text/plain"),
        ("page", b"\n<!DOCTYPE html><p>", None, "text/html"),
        ("index.php", b"<!doctype html><p>", "text/html; charset=utf-8", "text/html"),
        ("index.php", b"<!doctype html><?php ?>", None, "text/x-php"),
        ("a.xls", b"<html><table>", "application/vnd.ms-excel", "text/html"),
        ("a.pdf", b"just words", "application/pdf", "text/plain"),
        ("a.pdf", bytes(100), None, "application/pdf"),
        ("a.txt", bytes(100), "text/plain", "application/octet-stream"),
        ("a.txt", "한글".encode("utf-16"), None, "text/plain"),
        ("Dockerfile", b"FROM x", None, "text/x-dockerfile"),
        ("about-pdf.md", b"# About\n\nIt begins with %PDF-1.7", None, "text/markdown"),
        ("../../etc/a.py", b"x", None, "text/x-python"),
        ("C:\\x\\a.json\x00", b"{}", None, "application/json"),
        ("empty.csv", b"", None, "text/csv"),
        ("", b"", None, "text/plain"),
    ],
)
def test_content_type(name: str, head: bytes, said: str | None, expected: str) -> None:
    """Bytes decide before the name, the name before what was said, and that can't make text anything else."""
    assert content_type_of(name, head, said) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.binary(max_size=40), st.none() | st.text(max_size=20))
def test_any_name_and_bytes(name: str, head: bytes, said: str | None) -> None:
    """Whatever the name, the bytes and the word are, there is a type."""
    assert "/" in content_type_of(name, head, said)
