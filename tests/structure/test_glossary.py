"""The glossary decides which words are used."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.structure.sources import identifiers, modules, text

GLOSSARY = Path("docs/glossary.md")
ROW = re.compile(r"^\| (?P<term>[^|]+?) \| [^|]+ \| (?P<avoided>[^|]*?) ?\|$", re.MULTILINE)


def avoided_words() -> frozenset[str]:
    """The words in the last column that are set in code."""
    rows = ROW.finditer(text(GLOSSARY))
    return frozenset(word for row in rows for word in re.findall(r"`(\w+)`", row["avoided"]))


def parts(name: str) -> Iterator[str]:
    """A name's words, and each run of them, in snake case."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    words = [word for word in snake.split("_") if word]
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield "_".join(words[start:end])


def test_glossary_has_words_to_avoid() -> None:
    """The table is read as it is meant."""
    assert {"pawn", "backend", "half_open"} <= avoided_words()


def test_names_use_our_words() -> None:
    """No name has one of the avoided words in it, in singular or plural."""
    avoided = avoided_words()
    wrong = {
        f"{path}: {name}"
        for path in modules()
        for name in identifiers(path)
        if avoided & {form for part in parts(name) for form in (part, part.removesuffix("s"))}
    }
    assert wrong == set()
