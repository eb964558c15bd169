"""What a token says of its own end."""

import base64
import binascii

import msgspec


class _Claims(msgspec.Struct):
    exp: float | None = None


def expires(token: str) -> float | None:
    """When a JWT says that it ends, in Unix seconds; None if it is none, or does not say.

    Nothing is verified: this only tells a client when to fetch the next one.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(claims, type=_Claims).exp
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        return None
