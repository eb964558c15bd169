"""A patch leads from one state body to the next."""

import copy
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ludo.mirror.body import from_body, to_body
from ludo.mirror.decide import Applied, decide
from ludo.mirror.mirror import Mirror, Referee
from ludo.mirror.patch import Patch, patch_between, patch_of
from ludo.mirror.snapshot import Snapshot, abandoned
from ludo.rules.ruleset import RuleSet
from tests.mirror.builders import a_history, mirror_after, settled


def applied(patch: Patch, document: Any) -> Any:
    """RFC 6902 `replace`, the only operation that we write."""
    document = copy.deepcopy(document)
    for operation in patch:
        assert operation["op"] == "replace"
        *parents, last = operation["path"].split("/")[1:]
        at = document
        for token in parents:
            at = at[int(token)] if isinstance(at, list) else at[token]
        at[int(last) if isinstance(at, list) else last] = operation["value"]
    return document


@pytest.mark.parametrize("seed", range(3))
def test_patches_rebuild_every_state(seed: int) -> None:
    """Starting from the first state, the patches give each later one."""
    history = a_history(seed)
    state = to_body(mirror_after(history[:1]).snapshot)
    for change in settled(history).changes:
        state = applied(change.patch, state)

    assert state == to_body(mirror_after(history).snapshot)


@cache
def snapshots() -> list[Snapshot]:
    """The states of three games, whole and with values left open, one of them abandoned."""
    found = []
    for seed in range(3):
        history = a_history(seed)
        states = [mirror_after(history[:length]).snapshot for length in range(1, 60)]
        states.append(mirror_after(history[:-1]).snapshot)
        states.append(mirror_after(history).snapshot)
        body = to_body(states[-20])
        for name in ("phase", "consecutiveSixes", "finishOrder"):
            del body[name]
        found += [*states, from_body(body, RuleSet()), abandoned(states[30])]
    return found


@given(st.data())
def test_patch_of_snapshots_is_that_of_their_bodies(data: st.DataObject) -> None:
    """Making no bodies is faster, and says the same of any two states, in the same order."""
    before, after = (data.draw(st.sampled_from(snapshots())) for _ in range(2))

    assert patch_of(before, after) == patch_between(to_body(before), to_body(after))


@pytest.mark.parametrize("seed", range(3))
def test_patch_of_a_step_is_that_of_the_bodies(seed: int) -> None:
    """Every step of a whole game, captures and the end among them."""
    states = [mirror_after(a_history(seed)[:1]).snapshot]
    for event in a_history(seed)[1:]:
        decision = decide(Mirror("e", states[-1]), event, None, Referee(), "e")
        assert isinstance(decision, Applied)
        states.append(decision.mirror.snapshot)
    for before, after in pairwise(states):
        assert patch_of(before, after) == patch_between(to_body(before), to_body(after))


def test_every_patch_moves_sequence_and_time() -> None:
    """A client sees the sequence and the time of the event in the patch itself."""
    for change in settled(a_history()[:50]).changes:
        paths = {operation["path"] for operation in change.patch}
        assert {"/sequence", "/updatedAt"} <= paths


def test_equal_bodies_need_no_patch() -> None:
    """Nothing changed is no operation."""
    body = to_body(mirror_after(a_history()[:9]).snapshot)
    assert patch_between(body, copy.deepcopy(body)) == []
