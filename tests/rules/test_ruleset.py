"""Switches as text (R8, R10, R12, R13) and the modes (R15)."""

import pytest
from hypothesis import given

from ludo.rules.ruleset import GameMode, RuleSet, RuleSetError
from tests.rules.strategies import rule_sets


def test_the_defaults_are_the_clauses_as_written() -> None:
    """Blocks and play_on are off, a third 6 is void, all three extra rolls are on."""
    assert RuleSet.parse("") == RuleSet(False, 3, True, True, True, False)


def test_switches_are_named_with_their_value() -> None:
    """Several switches stand side by side; spaces and case do not matter."""
    rules = RuleSet.parse("blocks=on, max_consecutive_sixes = 0,extra_turn_on_six=NO,play_on=true,")

    assert rules == RuleSet(
        blocks=True, max_consecutive_sixes=0, extra_turn_on_six=False, play_on=True
    )


@given(rules=rule_sets())
def test_what_is_written_down_is_read_again(rules: RuleSet) -> None:
    """The archive keeps the switches as text, by which a game is judged again years later."""
    assert RuleSet.parse(str(rules)) == rules


def test_all_switches_are_written_down() -> None:
    """Also those that stand as the clauses are: a default may change."""
    assert str(RuleSet(blocks=True)) == (
        "blocks=on,max_consecutive_sixes=3,extra_turn_on_six=on,"
        "extra_turn_on_capture=on,extra_turn_on_finish=on,play_on=off"
    )


@pytest.mark.parametrize("value", ["on", "true", "yes", "1"])
def test_every_word_for_on_is_taken(value: str) -> None:
    """A switch is turned on by four words."""
    assert RuleSet.parse(f"blocks={value}").blocks is True


@pytest.mark.parametrize("value", ["off", "false", "no", "0"])
def test_every_word_for_off_is_taken(value: str) -> None:
    """A switch is turned off by four words."""
    assert RuleSet.parse(f"extra_turn_on_finish={value}").extra_turn_on_finish is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "stacking=on",
            "expected one of blocks, max_consecutive_sixes, extra_turn_on_six, "
            "extra_turn_on_capture, extra_turn_on_finish, play_on; found 'stacking'",
        ),
        (
            "max_consecutive_sixes=-1",
            "expected max_consecutive_sixes=<whole number>, 0 for off; found '-1'",
        ),
        ("blocks=maybe", "expected blocks=on or blocks=off; found 'maybe'"),
        ("blocks", "expected blocks=on or blocks=off; found ''"),
    ],
)
def test_what_is_no_switch_is_refused_with_what_was_expected(text: str, message: str) -> None:
    """The error names the switch, the values it takes and the one that was found."""
    with pytest.raises(RuleSetError) as refused:
        RuleSet.parse(text)

    assert str(refused.value) == message


def test_r15_quick_needs_one_piece_home_and_the_others_four() -> None:
    """Ranked is played as classic."""
    assert [mode.pieces_to_finish for mode in GameMode] == [4, 1, 4]


def test_blanks_and_empty_entries_mean_nothing() -> None:
    """A text may be spaced, and end in a comma."""
    assert RuleSet.parse(" blocks = on , ,play_on=yes, ") == RuleSet(blocks=True, play_on=True)
