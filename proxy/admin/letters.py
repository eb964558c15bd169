"""What operators are told of dead letters: the same over `/admin` and on the command line."""

from typing import Any

import msgspec

from ludo.store.letters import Letter
from ludo.store.redriving import Redriven


def told_letter(letter: Letter) -> dict[str, Any]:
    """A letter in a list; times are Unix milliseconds."""
    redrive = letter.redrive
    return {
        "id": letter.id,
        "gameId": letter.game_id or None,
        "sequence": letter.sequence,
        "cause": letter.cause,
        "clause": letter.clause or None,
        "sentence": letter.sentence or None,
        "source": letter.source,
        "webhookId": letter.webhook_id,
        "keyId": letter.key_id or None,
        "receivedAt": letter.received_at,
        "decidedAt": letter.decided_at,
        "attempts": letter.attempts,
        "redrive": redrive
        and {"at": redrive.at, "outcome": redrive.outcome, "cause": redrive.cause or None},
    }


def told_whole(letter: Letter) -> dict[str, Any]:
    """A letter with its event and how that came; no header in it is a secret."""
    return told_letter(letter) | {"headers": dict(letter.headers), "event": _event(letter.body)}


def told_redriven(redriven: Redriven) -> dict[str, Any]:
    """What became of one letter."""
    return {
        "id": redriven.letter.id,
        "gameId": redriven.letter.game_id or None,
        "sequence": redriven.letter.sequence,
        "outcome": redriven.outcome,
        "cause": redriven.cause or None,
    }


def _event(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return body.decode(errors="replace")
