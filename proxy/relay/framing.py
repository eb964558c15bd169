"""A text message as it lies on the wire (RFC 6455, 5.2): final, unmasked, without an extension.

What a server sends is not masked, so the bytes of one message are the same for every client that
has no compression; they are made once for all of them.
"""

from typing import Final, Protocol

EXTENSION: Final = "ludo.frames"
"""The key, among an ASGI scope's extensions, of a `Frames`."""

_FINAL_TEXT: Final = 0x81
_SHORT: Final = 125
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 127


class Frames(Protocol):
    """A server's connection that takes whole frames without being awaited."""

    @property
    def ready(self) -> bool:
        """Whether it is open and its buffer is below its limit: only then it may be written to."""
        ...

    def write(self, frames: bytes) -> None:
        """Write frames after all that was written before."""
        ...


def framed(payload: bytes) -> bytes:
    """A text message, given as UTF-8, as one frame."""
    size = len(payload)
    if size <= _SHORT:
        return bytes((_FINAL_TEXT, size)) + payload
    if size < 1 << 16:
        return bytes((_FINAL_TEXT, _TWO_BYTES)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL_TEXT, _EIGHT_BYTES)) + size.to_bytes(8, "big") + payload


def text_of(frame: bytes) -> str:
    """The message in one of our frames."""
    head = {_TWO_BYTES: 4, _EIGHT_BYTES: 10}.get(frame[1], 2)
    return frame[head:].decode()
