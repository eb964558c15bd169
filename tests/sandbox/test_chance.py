"""Everything random follows from a seed."""

from sandbox import chance


def test_the_same_parts_give_the_same_draw() -> None:
    """A draw can be repeated, and other parts give another one."""
    assert chance.number(7, "dice") == chance.number("7", "dice")
    assert chance.number(7, "dice") != chance.number(7, "bots")


def test_parts_are_kept_apart() -> None:
    """Moving a letter from one part to the next is another draw."""
    assert chance.name("gm", "ab", "c") != chance.name("gm", "a", "bc")


def test_fractions_fill_the_unit_interval() -> None:
    """Probabilities can be compared with them."""
    drawn = [chance.fraction("x", n) for n in range(2_000)]

    assert all(0 <= each < 1 for each in drawn)
    assert 0.45 < sum(drawn) / len(drawn) < 0.55


def test_room_codes_can_be_read_out() -> None:
    """Six capitals and digits, none of which is taken for another."""
    codes = {chance.room_code("x", n) for n in range(500)}

    assert len(codes) == 500
    assert all(len(code) == 6 and not set(code) & set("01IO") for code in codes)
