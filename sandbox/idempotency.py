"""The first answer to a request, given again when the same request comes with the same key."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from sandbox.answers import Answer


@dataclass(frozen=True, slots=True)
class Reused:
    """The key was used before for another body."""


class FirstAnswers:
    """The last answers to keyed POST requests; the oldest give way, so memory is bounded."""

    def __init__(self, bound: int = 10_000) -> None:
        self._bound = bound
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, Answer]] = OrderedDict()

    def find(self, route: str, key: str, body: bytes) -> Answer | Reused | None:
        """The answer given before, Reused for another body, None for a new key."""
        kept = self._kept.get((route, key))
        if kept is None:
            return None
        digest, answer = kept
        return answer if digest == sha256(body).digest() else Reused()

    def keep(self, route: str, key: str, body: bytes, answer: Answer) -> None:
        """Remember an answer; one that invites a retry (5xx) is not kept."""
        if answer.status >= 500:
            return
        self._kept[(route, key)] = (sha256(body).digest(), answer)
        while len(self._kept) > self._bound:
            self._kept.popitem(last=False)
