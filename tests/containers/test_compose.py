"""The compose file starts a deployment that loses nothing and gives nothing away."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ludo.store.durability import Durable, judge
from tests.structure.sources import ROOT, text
from tests.structure.test_env_example import declared

COMPOSE = Path("docker-compose.yml")
ROLES = {"proxy": "serve", "worker": "worker", "sandbox": "sandbox"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services by name."""
    found: dict[str, Any] = yaml.safe_load(text(COMPOSE))["services"]
    return found


def seconds(duration: str) -> float:
    """What a duration of one unit says."""
    return float(duration.removesuffix("s"))


def test_file_is_what_compose_expects() -> None:
    """The file holds to the compose specification's schema, which comes with the checker."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    found = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", ROOT / COMPOSE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == 0, found.stdout


def test_one_image_has_every_role(services: dict[str, Any]) -> None:
    """The processes differ in their command, not in their image."""
    assert {services[name]["image"] for name in ROLES} == {"ludo-proxy:local"}
    assert {name: services[name]["command"][0] for name in ROLES} == ROLES


def test_redis_loses_nothing(services: dict[str, Any]) -> None:
    """What the server is told is what our own judgement asks for."""
    told = services["redis"]["command"][1:]
    settings = {told[n].removeprefix("--"): told[n + 1] for n in range(0, len(told), 2)}
    assert judge(settings) == Durable()
    assert "redis:/data" in services["redis"]["volumes"]
    assert "ports" not in services["redis"]


def test_processes_wait_for_what_they_need(services: dict[str, Any]) -> None:
    """Nobody starts before a Redis that answers, the sandbox not before its receiver."""
    healthy = {"condition": "service_healthy"}
    assert services["proxy"]["depends_on"] == {"redis": healthy}
    assert services["worker"]["depends_on"] == {"redis": healthy}
    assert services["sandbox"]["depends_on"] == {"proxy": healthy}
    assert services["redis"]["healthcheck"]["test"]


def test_processes_come_back_and_may_do_little(services: dict[str, Any]) -> None:
    """Every process restarts, writes to its data only, and has no privilege to lose."""
    for name in ROLES:
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in services[name]["security_opt"]


def test_drain_is_not_cut_short(services: dict[str, Any]) -> None:
    """Compose waits longer for a proxy than its drain takes."""
    proxy = services["proxy"]
    assert seconds(proxy["stop_grace_period"]) > seconds(proxy["environment"]["LUDO_DRAIN"]) + 5


def test_sandbox_comes_only_when_asked(services: dict[str, Any]) -> None:
    """The sandbox is a profile, which the settings for it switch on."""
    assert services["sandbox"]["profiles"] == ["sandbox"]
    assert "COMPOSE_PROFILES=sandbox" in text(Path("docker/sandbox.env"))


def test_every_setting_can_be_given(services: dict[str, Any]) -> None:
    """Whatever a role reads can be set from outside, and nothing else is passed on."""
    passed = {name: set(services[name]["environment"]) for name in ROLES}
    known = set(declared()) - {"LUDO_DATA_DIR"}
    assert set.union(*passed.values()) == known
    assert {name for name in known if name.startswith("LUDO_SANDBOX_")} <= passed["sandbox"]


def test_file_has_no_secret_in_it(services: dict[str, Any]) -> None:
    """Secrets are taken from the environment of whoever starts it."""
    secrets = {name for name, variable in declared().items() if variable.secret} - {"REDIS_URL"}
    given = {
        name: value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
        if name in secrets and value is not None
    }
    assert all(re.fullmatch(r"\$\{\w+:-\}", value) for value in given.values())


def test_settings_of_the_sandbox_exist() -> None:
    """`docker/sandbox.env` names no variable that nobody reads."""
    named = set(re.findall(r"^([A-Z_]+)=", text(Path("docker/sandbox.env")), re.MULTILINE))
    assert named - {"COMPOSE_PROFILES"} <= set(declared())
