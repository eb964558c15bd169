"""RFC 6902 for states that are never changed in place."""

import contextlib
import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.mirror.patch import patch_between
from ludo.relay.errors import PatchUnfit
from ludo.relay.patch import Operation, patched, same

BEFORE: dict[str, Any] = {"list": [1, 2], "a/b": {"~": 0}, "deep": {"er": {"est": True}}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab~/", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("ab~/-01", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
POINTERS = st.lists(st.text("ab~/-01", max_size=2), max_size=3).map(
    lambda keys: "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
)


def operations(patch: list[dict[str, Any]]) -> list[Operation]:
    """A patch as it is read."""
    return msgspec.convert(patch, list[Operation])


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ({"op": "add", "path": "/list/1", "value": 9}, {**BEFORE, "list": [1, 9, 2]}),
        ({"op": "add", "path": "/list/-", "value": 9}, {**BEFORE, "list": [1, 2, 9]}),
        ({"op": "add", "path": "/list/2", "value": 9}, {**BEFORE, "list": [1, 2, 9]}),
        ({"op": "add", "path": "/list", "value": None}, {**BEFORE, "list": None}),
        ({"op": "remove", "path": "/list/0"}, {**BEFORE, "list": [2]}),
        ({"op": "replace", "path": "/a~1b/~0", "value": 1}, {**BEFORE, "a/b": {"~": 1}}),
        ({"op": "replace", "path": "", "value": 3}, 3),
        ({"op": "copy", "from": "/list/0", "path": "/a~1b"}, {**BEFORE, "a/b": 1}),
        ({"op": "move", "from": "/list/0", "path": "/list/1"}, {**BEFORE, "list": [2, 1]}),
        ({"op": "move", "from": "/list", "path": "/list"}, BEFORE),
        ({"op": "test", "path": "/list", "value": [1.0, 2]}, BEFORE),
        ({"op": "test", "path": "", "value": BEFORE}, BEFORE),
    ],
)
def test_operations_do_what_rfc_6902_says(step: dict[str, Any], after: object) -> None:
    """Each of the six, by JSON pointers with their escapes."""
    assert patched(BEFORE, operations([step])) == after


@pytest.mark.parametrize(
    "step",
    [
        {"op": "test", "path": "/list", "value": [2, 1]},
        {"op": "test", "path": "/deep/er/est", "value": 1},
        {"op": "replace", "path": "/list/2", "value": 1},
        {"op": "replace", "path": "/list/01", "value": 1},
        {"op": "replace", "path": "/list/-", "value": 1},
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "add", "path": "/list/²", "value": 1},
        {"op": "add", "path": "/list/0/x", "value": 1},
        {"op": "add", "path": "/list/" + "9" * 5_000, "value": 1},
        {"op": "add", "path": "/no/where", "value": 1},
        {"op": "add", "path": "list", "value": 1},
        {"op": "add", "path": "/list/0"},
        {"op": "remove", "path": "/nothing"},
        {"op": "remove", "path": ""},
        {"op": "move", "path": "/list"},
        {"op": "move", "from": "/deep", "path": "/deep/er"},
        {"op": "copy", "from": "/nothing", "path": "/list"},
        {"op": "spoil", "path": "/list"},
    ],
)
def test_what_does_not_fit_is_refused_whole(step: dict[str, Any]) -> None:
    """One unfit step, and nothing of the patch is done."""
    kept = copy.deepcopy(BEFORE)
    good = {"op": "add", "path": "/new", "value": 1}
    with pytest.raises(PatchUnfit):
        patched(BEFORE, operations([good, step]))
    assert kept == BEFORE


@given(st.dictionaries(st.text("ab~/", max_size=2), JSON, max_size=4), st.data())
def test_a_patch_of_ours_leads_to_its_state(before: dict[str, Any], data: st.DataObject) -> None:
    """What the mirror writes as a difference, the client reads as that difference.

    Equal is what `==` says: no member of a state is a number once and a truth value then.
    """
    after = data.draw(st.fixed_dictionaries(dict.fromkeys(before, JSON)))
    kept = copy.deepcopy(before)
    assert patched(before, operations(patch_between(before, after))) == after
    assert before == kept


@given(
    JSON,
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test")),
                "path": POINTERS,
            },
            optional={"from": POINTERS, "value": JSON},
        ),
        max_size=6,
    ),
)
def test_no_patch_raises_anything_else(document: Any, patch: list[dict[str, Any]]) -> None:
    """Whatever it asks of whatever document, it is done or unfit, and the document stays."""
    kept = copy.deepcopy(document)
    with contextlib.suppress(PatchUnfit):
        patched(document, operations(patch))
    assert same(document, kept)


def test_what_is_not_touched_is_shared() -> None:
    """A state costs what changes, and a thousand copies of a copy cost nothing."""
    after = patched(BEFORE, operations([{"op": "replace", "path": "/list/0", "value": 5}]))
    assert after["deep"] is BEFORE["deep"]
    double = [
        {"op": "add", "path": "/x", "value": []},
        *({"op": "copy", "from": "/x", "path": "/x/-"} for _ in range(1_000)),
    ]
    assert len(patched(BEFORE, operations(double))["x"]) == 1_000
