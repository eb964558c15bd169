"""The browser of tests/web, for boards of a real proxy."""

from tests.web.conftest import chromium

__all__ = ["chromium"]
