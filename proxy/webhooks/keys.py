"""The keys in force: from the environment, or from a mounted file that is read again and again."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from ludo.upstream.config import WebhookConfig
from ludo.upstream.keyring import KeyRing, UnusableKey

LOOK_EVERY_S: Final = 0.25
"""A change counts when it was read twice, so half a second after it was made."""
LONGEST: Final = 65_536

log = structlog.get_logger("webhooks")


class Keys:
    """The ring of this moment. `trouble` says why a newer file is not in force, or is None."""

    def __init__(self, config: WebhookConfig) -> None:
        self._ring = config.ring
        self._file = config.secrets_file
        self._taken = config.secrets.get_secret_value()
        self._seen = self._taken
        self.trouble: str | None = None

    @property
    def ring(self) -> KeyRing:
        """What deliveries are verified with now."""
        return self._ring

    async def run(self) -> None:
        """Follows the file until cancelled; without a file there is nothing to follow."""
        if self._file is None:
            return
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                text = await asyncio.to_thread(_read, self._file)
            except (OSError, ValueError) as error:
                self._stay(_reason(error))
            else:
                self._look_at(text)

    def _look_at(self, text: str) -> None:
        # Read the same twice: whoever writes in place is seen in the middle of it.
        before, self._seen = self._seen, text
        if text == self._taken:
            self.trouble = None
        elif text == before:
            self._take(text)

    def _take(self, text: str) -> None:
        try:
            ring = KeyRing.parse(text)
        except UnusableKey as error:
            self._stay(str(error))
            return
        if not ring:
            self._stay("expected a key; found none")
            return
        self._ring, self._taken, self.trouble = ring, text, None
        log.info("keys.changed", keys=[key.id for key in ring.keys])

    def _stay(self, reason: str) -> None:
        if self.trouble != reason:
            log.error("keys.unusable", reason=reason, file=str(self._file))
        self.trouble = reason


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise ValueError(f"expected at most {LONGEST} bytes")
    return content.decode().rstrip("\r\n")


def _reason(error: OSError | ValueError) -> str:
    match error:
        case OSError(strerror=str(strerror)):
            return f"expected a readable file; {strerror}"
        case UnicodeDecodeError():  # its own message quotes what was read
            return "expected UTF-8 text"
        case _:
            return str(error)
