"""The in-process layer: bounded, never longer than allowed, and not fooled by late answers."""

from dataclasses import dataclass

import pytest

from proxy.facade.layer import Layer
from proxy.facade.ready import OVERHEAD, Ready

TAGS = ("rooms",)


@dataclass
class World:
    """A clock that is set, and an ear that is open or not."""

    now: float = 100.0
    hears: bool = True

    def layer(self, **options: int) -> Layer:
        """An empty layer in this world."""
        return Layer(lambda: self.now, lambda: self.hears, **options)


@pytest.fixture
def world() -> World:
    """Now is 100."""
    return World()


def an_answer(body: bytes = b"{}", *, born: float = 100.0, until: float = 102.0) -> Ready:
    return Ready(200, (), body, '"tag"', born, until)


def put(layer: Layer, key: str, ready: Ready, tags: tuple[str, ...] = TAGS) -> None:
    layer.put(key, tags, ready, layer.ticket())


def test_what_was_put_in_is_found(world: World) -> None:
    """With its age as time passes."""
    layer = world.layer()
    put(layer, "a", an_answer(born=97.5))
    found = layer.find("a")
    assert found is not None
    assert (found.age(100.0), found.age(101.6)) == (2, 4)
    assert layer.find("b") is None


def test_it_ends_with_its_soft_lifetime(world: World) -> None:
    """Not a moment later."""
    layer = world.layer()
    put(layer, "a", an_answer(until=102.0))
    world.now = 101.999
    assert layer.find("a") is not None
    world.now = 102.0
    assert layer.find("a") is None
    assert (len(layer), layer.bytes) == (0, 0)


def test_a_purge_ends_what_carries_the_tag(world: World) -> None:
    """And nothing else."""
    layer = world.layer()
    put(layer, "a", an_answer(), ("rooms",))
    put(layer, "b", an_answer(), ("rooms", "room:B"))
    put(layer, "c", an_answer(), ("room:C",))
    layer.purge("rooms")
    assert [layer.find(key) is not None for key in "abc"] == [False, False, True]


def test_what_was_asked_for_before_a_purge_is_not_put_in_after_it(world: World) -> None:
    """The answer may be from before the purge, and nobody would purge it again."""
    layer = world.layer()
    ticket = layer.ticket()
    layer.purge("rooms")
    layer.put("a", TAGS, an_answer(), ticket)
    assert layer.find("a") is None


def test_what_was_asked_for_before_the_link_broke_is_not_put_in_after_it(world: World) -> None:
    """A purge may have been missed meanwhile."""
    layer = world.layer()
    ticket = layer.ticket()
    layer.clear()
    layer.put("a", TAGS, an_answer(), ticket)
    assert layer.find("a") is None


def test_nothing_is_used_while_purges_may_be_missed(world: World) -> None:
    """Neither found nor put in."""
    layer = world.layer()
    put(layer, "a", an_answer())
    world.hears = False
    assert layer.find("a") is None
    put(layer, "b", an_answer())
    world.hears = True
    assert layer.find("b") is None


def test_what_was_used_longest_ago_leaves_first(world: World) -> None:
    """The bytes of all of them stay below the bound."""
    layer = world.layer(most_bytes=3 * (OVERHEAD + 100))
    for key in "abc":
        put(layer, key, an_answer(b"x" * 100))
    layer.find("a")
    put(layer, "d", an_answer(b"x" * 100))
    assert [layer.find(key) is not None for key in "abcd"] == [True, False, True, True]
    assert layer.bytes == 3 * (OVERHEAD + 100)


def test_an_answer_that_is_replaced_counts_once(world: World) -> None:
    """However often it is put in."""
    layer = world.layer()
    for _ in range(5):
        put(layer, "a", an_answer(b"x" * 10))
    assert (len(layer), layer.bytes) == (1, OVERHEAD + 10)
    layer.purge("rooms")
    assert layer.bytes == 0


def test_a_large_answer_is_left_to_the_shared_cache(world: World) -> None:
    """One of them must not push out all others."""
    layer = world.layer()
    put(layer, "a", an_answer(b"x" * 300_000))
    assert layer.find("a") is None
