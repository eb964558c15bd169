"""The archive's schema, step by step."""

from typing import Final

HEAD: Final = "0001"
"""The last step; what a database has when it is up to date."""
