"""Nothing that is kept names the machine it was written on."""

import re

from tests.structure.sources import ROOT, kept_files, text

# Written so that this file does not find itself.
FOLDERS = r"(?<![\w.~-])/(?:wor[k]|roo[t]|hom[e]/[a-z]\w*|User[s]/\w+)(?![\w-])"
HOSTS = r"pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|index-ur[l]"
FOREIGN = re.compile(f"{FOLDERS}|{HOSTS}")
PICTURES = {".png", ".ico", ".woff2"}
LARGEST = 1_000_000


def test_files_name_no_machine_and_no_registry() -> None:
    """A clone works the same anywhere, with whatever registry its user has."""
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in kept_files()
        if path.suffix not in PICTURES
        for number, line in enumerate(text(path).splitlines(), 1)
        if FOREIGN.search(line) and "--no-emit-index" not in line
    ]
    assert found == []


def test_repository_stays_small() -> None:
    """Nothing above 1 MB is kept."""
    sizes = {str(path): (ROOT / path).stat().st_size for path in kept_files()}
    assert {path: size for path, size in sizes.items() if size > LARGEST} == {}
