"""A patch leads from one state body to the next."""

import copy
from typing import Any

import pytest

from ludo.mirror.body import to_body
from ludo.mirror.patch import Patch, patch_between
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


def test_every_patch_moves_sequence_and_time() -> None:
    """A client sees the sequence and the time of the event in the patch itself."""
    for change in settled(a_history()[:50]).changes:
        paths = {operation["path"] for operation in change.patch}
        assert {"/sequence", "/updatedAt"} <= paths


def test_equal_bodies_need_no_patch() -> None:
    """Nothing changed is no operation."""
    body = to_body(mirror_after(a_history()[:9]).snapshot)
    assert patch_between(body, copy.deepcopy(body)) == []
