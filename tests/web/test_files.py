"""What the browser is given: little, and nothing from elsewhere."""

import gzip
import re

from tests.web.fake_relay import TYPES, WEB

ELSEWHERE = re.compile(r"\bhttps?://(?!www\.w3\.org/2000/svg)", re.IGNORECASE)
INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", re.IGNORECASE)
CLIENT_BYTES = 5 * 1024
PAGE_BYTES = 40 * 1024


def test_client_is_small() -> None:
    """Without comments, compressed, it stays within 5 KB."""
    files = [WEB / "patch.js", *WEB.glob("*relay*.js")]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    bare = re.sub(r"/\*.*?\*/|^\s*//.*?$|^\s+", "", source, flags=re.DOTALL | re.MULTILINE)
    assert len(gzip.compress(bare.encode(), 9)) <= CLIENT_BYTES


def test_page_is_small() -> None:
    """All files together, as written and compressed, stay within 40 KB."""
    files = [file for file in WEB.iterdir() if file.suffix in TYPES]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= PAGE_BYTES


def test_page_works_offline() -> None:
    """Nothing is loaded from another host."""
    found = [
        file.name
        for file in WEB.iterdir()
        if file.suffix in TYPES and ELSEWHERE.search(file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_page_has_nothing_inline() -> None:
    """A strict Content-Security-Policy refuses no part of it."""
    assert not INLINE.search((WEB / "board.html").read_text(encoding="utf-8"))


def test_modules_are_named_in_the_page() -> None:
    """No module waits for another one to be read before it is fetched."""
    page = (WEB / "board.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:modulepreload" href|module" src)="([^"]+)"', page))
    assert named == {file.name for file in WEB.glob("*.js")}
