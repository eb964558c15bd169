"""Names in paths: opaque to us, but no part of a path may be anything at all."""

import re
from typing import Final

from proxy.errors import UnknownPath

NAME: Final = re.compile(r"[A-Za-z0-9_.:~-]{1,128}")


def known(name: str) -> str:
    """The name, if upstream could have given it; raises UnknownPath without asking."""
    if NAME.fullmatch(name) is None or name.strip(".") == "":
        raise UnknownPath("expected a name of letters, digits and _ . : ~ -; there is nothing here")
    return name
