"""One image for every role, and what it has to be like."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.dockerfile import PlainFolder, Stage, stages
from tests.structure.sources import ROOT, text
from tests.waiting import wait_until

DOCKERFILE = Path("docker/Dockerfile")


def in_the_image(test: Callable[..., object]) -> Callable[..., object]:
    """Mark a test that needs the steps to have run, which happens once in one test process."""
    for mark in (pytest.mark.e2e, pytest.mark.timeout(400), pytest.mark.xdist_group("image")):
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def built() -> list[Stage]:
    """The stages of the Dockerfile."""
    return stages(text(DOCKERFILE))


def test_hadolint_has_nothing_to_say() -> None:
    """The file follows the rules of Dockerfiles."""
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint has no wheel for this platform")
    found = subprocess.run(
        [linter, ROOT / DOCKERFILE], capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 0, found.stdout


def test_bases_are_pinned(built: list[Stage]) -> None:
    """Both stages start from the same exact version."""
    bases = {stage.base for stage in built}
    assert len(bases) == 1
    assert bases.pop().split(":")[1].split("-")[0].count(".") == 2


def test_everything_installed_is_locked(built: list[Stage]) -> None:
    """pip installs by hash, or our own wheel without asking any registry."""
    installs = [
        part
        for stage in built
        for step in stage.steps
        for part in step.text.split("&&")
        if step.instruction == "RUN" and "pip install" in part
    ]
    assert installs
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)


def test_image_does_not_run_as_root(built: list[Stage]) -> None:
    """The user is given by number, so that Kubernetes can check it."""
    user, group = built[-1].last("USER").text.split(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000


def test_health_is_asked_without_further_programs(built: list[Stage]) -> None:
    """The slim image has neither curl nor wget; Python asks `/health`."""
    check = built[-1].last("HEALTHCHECK").text
    assert "/health'" in check
    assert "curl" not in check
    assert "wget" not in check


@pytest.fixture(scope="module")
def folder() -> Iterator[PlainFolder]:
    """A folder that becomes the image's root, on a short path for its socket."""
    with tempfile.TemporaryDirectory(prefix="ludo-image-") as name:
        kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
        environ = {each: os.environ[each] for each in kept if each in os.environ}
        pip = {each: value for each, value in os.environ.items() if each.startswith("PIP_")}
        yield PlainFolder(Path(name), environ | pip)


@pytest.fixture(scope="module")
def installed(folder: PlainFolder, built: list[Stage]) -> PlainFolder:
    """The folder after all the steps, without what only building needs."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the image has Python 3.11")
    for stage in built:
        folder.run(stage)
    for needed_to_build in ("src", "opt/build", "opt/wheel"):
        shutil.rmtree(folder.root / needed_to_build)
    return folder


@in_the_image
@pytest.mark.parametrize("role", ["serve", "worker", "sandbox"])
def test_every_role_is_in_the_image(installed: PlainFolder, built: list[Stage], role: str) -> None:
    """The entry point knows each role, with nothing but the final stage's files."""
    entry = built[-1].last("ENTRYPOINT").words
    shown = subprocess.run(
        [installed.root / "opt/ludo/bin" / entry[0], role, "--help"],
        cwd=installed.inside("."),
        env=installed.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert shown.returncode == 0, shown.stderr


@in_the_image
def test_what_is_not_python_is_in_the_image(installed: PlainFolder) -> None:
    """The wheel has the scripts and the board, not only the modules."""
    packages = next((installed.root / "opt/ludo/lib").glob("python*/site-packages"))
    for kind in ("ludo/store/lua/*.lua", "proxy/web/*.html", "proxy/web/*.js"):
        assert {each.name for each in packages.glob(kind)} == {
            each.name for each in ROOT.glob(kind)
        }


@in_the_image
async def test_image_becomes_healthy(
    installed: PlainFolder, built: list[Stage], unused_tcp_port: int
) -> None:
    """Started as the image starts it, the health check passes, and SIGTERM ends it."""
    final, port = built[-1], str(unused_tcp_port)
    command = [*final.last("ENTRYPOINT").words, *final.last("CMD").words, "--port", port]
    settings = {"LUDO_AUTH": "open", "LUDO_DRAIN": "0s"}
    server = await asyncio.create_subprocess_exec(
        installed.root / "opt/ludo/bin" / command[0],
        *command[1:],
        cwd=installed.inside("."),
        env=installed.environ | settings,
    )
    try:
        check = final.last("HEALTHCHECK").text.partition("CMD ")[2].replace("8080", port)
        assert await wait_until(lambda: passes(installed, check), timeout=30)
    finally:
        server.terminate()
        assert await asyncio.wait_for(server.wait(), 20) == 0


async def passes(installed: PlainFolder, check: str) -> bool:
    """Whether a health check's command ends well."""
    program, *arguments = stages(f"FROM x\nCMD {check}")[0].steps[0].words
    asked = await asyncio.create_subprocess_exec(
        installed.root / "opt/ludo/bin" / program,
        *arguments,
        env=installed.environ,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await asked.wait() == 0
