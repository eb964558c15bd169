"""The tree of errors is the one that its module draws."""

import re

from ludo.upstream import errors
from ludo.upstream.errors import BudgetSpent, CircuitOpen, UpstreamError, UpstreamRefused


def drawn() -> dict[str, str]:
    """Each class of the drawing and the one it hangs on."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^ {4}([│ ]*(?:[├└]── )?)([A-Z]\w+)", line)
        if match is None:
            continue
        depth, name = len(match[1]), match[2]
        above = [(d, n) for d, n in above if d < depth]
        if above:
            parents[name] = above[-1][1]
        above.append((depth, name))
    return parents


def test_the_drawing_is_the_tree() -> None:
    """Whoever reads the docstring knows every error, and where it hangs."""
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, UpstreamError) and each is not UpstreamError
    ]
    assert drawn() == {each.__name__: each.__bases__[0].__name__ for each in classes}


def test_messages_say_when_to_come_back() -> None:
    """A sentence for people, and the seconds for programs."""
    assert str(BudgetSpent(2.25)) == "upstream's budget is spent; the next call fits in 2.2 s"
    assert str(CircuitOpen("host", 3)) == "the circuit of host is open for 3.0 s more"
    assert CircuitOpen("host", 3).retry_after == 3


def test_a_long_refusal_is_cut_in_the_message_only() -> None:
    """Logs stay short; whoever passes the answer on has all of it."""
    error = UpstreamRefused(409, "X", "y" * 999, b"z")
    assert (len(str(error)) < 240, len(error.message), error.body) == (True, 999, b"z")
