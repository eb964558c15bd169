"""The points on which tables differ, as values (R8, R10, R12, R13, R15)."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum


class GameMode(StrEnum):
    """How a game is played (R15); `ranked` is played as `classic`."""

    CLASSIC = "classic"
    QUICK = "quick"
    RANKED = "ranked"

    @property
    def pieces_to_finish(self) -> int:
        """How many pieces a player has to bring home (R13, R15)."""
        return 1 if self is GameMode.QUICK else 4


class RuleSetError(ValueError):
    """A text that names no switch, or gives one a value it does not take."""


_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The switches of `rules.md`; the defaults are the clauses as written."""

    blocks: bool = False
    max_consecutive_sixes: int = 3
    extra_turn_on_six: bool = True
    extra_turn_on_capture: bool = True
    extra_turn_on_finish: bool = True
    play_on: bool = False

    def __str__(self) -> str:
        """All switches, as `parse` reads them."""
        return ",".join(f"{each.name}={_word(getattr(self, each.name))}" for each in fields(self))

    @classmethod
    def parse(cls, text: str) -> "RuleSet":
        """The rule set that `name=value,…` describes; unnamed switches keep their default.

        Raises RuleSetError with what was expected and what was found.
        """
        rules = cls()
        for entry in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = (side.strip() for side in entry.partition("="))
            rules = _with(rules, name, value)
        return rules


def _word(value: bool | int) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _with(rules: RuleSet, name: str, value: str) -> RuleSet:
    known = [field.name for field in fields(RuleSet)]
    if name not in known:
        raise RuleSetError(f"expected one of {', '.join(known)}; found {name!r}")
    if name == "max_consecutive_sixes":
        if not value.isdecimal():
            raise RuleSetError(f"expected {name}=<whole number>, 0 for off; found {value!r}")
        return replace(rules, max_consecutive_sixes=int(value))
    return replace(rules, **{name: _is_on(name, value)})


def _is_on(name: str, value: str) -> bool:
    if value.lower() in _ON:
        return True
    if value.lower() in _OFF:
        return False
    raise RuleSetError(f"expected {name}=on or {name}=off; found {value!r}")
