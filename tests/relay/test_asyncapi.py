"""The description of the protocol is the protocol."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from proxy.relay.asyncapi import RECEIVED, SENT, document
from proxy.relay.frames import Bye, SaidFrame, encode
from tests.proxy.builders import a_proxy
from tests.relay.builders import greeted, renewed

SCHEMA = Path(__file__).parent / "asyncapi-3.0.0.json"
"""From the npm package @asyncapi/specs 6.11.1 (Apache-2.0)."""
DOCUMENT = document()


def faults(name: str, frame: dict[str, Any]) -> list[str]:
    """What a frame breaks of its description."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(frame)]


def test_it_is_asyncapi_3() -> None:
    """By the specification's own schema, which finds faults where there are any."""
    specification = Draft7Validator(json.loads(SCHEMA.read_text()))
    assert [error.message for error in specification.iter_errors(DOCUMENT)] == []
    broken = {**DOCUMENT, "operations": {"x": {"action": "shout"}}}
    assert list(specification.iter_errors(broken))


def test_every_frame_is_in_it() -> None:
    """Both ways, each under its `t`, with nothing pointing nowhere."""
    names = {kind.__struct_config__.tag for kind in (*RECEIVED, *SENT)}
    messages = DOCUMENT["components"]["messages"]
    assert {each["name"] for each in messages.values()} == names
    assert {each["payload"]["$ref"].rsplit("/", 1)[1] for each in messages.values()} <= set(
        DOCUMENT["components"]["schemas"]
    )


def test_what_is_sent_is_what_is_described() -> None:
    """A session's frames hold it; a frame with a field of another type does not."""
    talking = greeted(subs=[{"game": "g"}])
    talking.session.tell("g", renewed(7), 0.0)
    frames = [*talking.read(), *talking.say(t="unsub", id=1, game="g"), *talking.say(t="sub")]
    frames.append(json.loads(encode(SaidFrame("g", "text", "hi", 1, sender="ann")).text))
    assert [frame["t"] for frame in frames] == ["snap", "live", "ok", "bye", "said"]
    sent = {kind.__struct_config__.tag: kind.__name__ for kind in SENT}
    for frame in frames:
        assert faults(sent[frame["t"]], frame) == []
    assert faults(Bye.__name__, {"t": "bye", "code": "4000"})


@pytest.mark.parametrize("kind", RECEIVED, ids=lambda kind: kind.__name__)
def test_what_is_refused_is_not_described(kind: Any) -> None:
    """The types that read frames are the description: a nonsense field fails both."""
    nonsense = {"t": kind.__struct_config__.tag, **{name: [[]] for name in kind.__struct_fields__}}
    assert faults(kind.__name__, nonsense)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(nonsense, kind)


async def test_it_is_served_and_linked(redis_url: str) -> None:
    """Beside the description of the HTTP API."""
    async with a_proxy(redis_url) as proxy:
        answer = await proxy.get("/asyncapi.json")
        assert 'href="asyncapi.json"' in (await proxy.get("/docs")).text
    assert answer.json() == json.loads(json.dumps(DOCUMENT))
