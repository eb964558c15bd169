"""Reading fields: casings, and values as a message shows them."""

from ludo.upstream.errors import MalformedEvent
from ludo.upstream.wire.fields import Fields, camelized, shown


def test_camel_case_wins_over_its_twin() -> None:
    """A body that has both casings means the documented one."""
    fields = Fields({"gameId": "camel", "game_id": "snake"}, MalformedEvent)
    assert fields.text("gameId") == "camel"


def test_null_is_there_but_not_given() -> None:
    """Absent and null differ where the contract says so."""
    fields = Fields({"a": None}, MalformedEvent)
    assert (fields.has("a"), fields.given("a"), fields.has("b")) == (True, False, False)


def test_keys_become_camel_case_all_the_way_down() -> None:
    """Values stay as they are, wherever they stand."""
    assert camelized([{"a_b": {"c_d": "e_f"}, "g": 1}]) == [{"aB": {"cD": "e_f"}, "g": 1}]


def test_a_message_shows_no_whole_document() -> None:
    """Long values are cut, objects and arrays are only named."""
    assert shown("x" * 500) == '"' + "x" * 59 + "…"
    assert (shown({"a": 1}), shown([1, 2]), shown(None)) == ("an object", "an array of 2", "null")
