"""One image for every role, and what it has to be like."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.dockerfile import PlainFolder, Stage, stages
from tests.structure.sources import ROOT, sources, text
from tests.waiting import wait_until

DOCKERFILE = Path("docker/Dockerfile")


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


@pytest.fixture
def installed(built: list[Stage]) -> Iterator[PlainFolder]:
    """A folder, on a short path for its socket, after all the steps of the image."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the image has Python 3.11")
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
    environ = {each: os.environ[each] for each in kept if each in os.environ}
    pip = {each: value for each, value in os.environ.items() if each.startswith("PIP_")}
    with tempfile.TemporaryDirectory(prefix="ludo-image-") as name:
        folder = PlainFolder(Path(name), environ | pip)
        for stage in built:
            folder.run(stage)
        for needed_to_build in ("src", "opt/build", "opt/wheel"):
            shutil.rmtree(folder.root / needed_to_build)
        yield folder


# One test, because the steps take half a minute.
@pytest.mark.e2e
@pytest.mark.timeout(400)
async def test_steps_make_an_image_of_every_role_that_becomes_healthy(
    installed: PlainFolder, built: list[Stage], unused_tcp_port: int
) -> None:
    """The final stage's files are enough to run each role, and `serve` as the image starts it."""
    has_what_is_not_python(installed)
    entry = built[-1].last("ENTRYPOINT").words
    for role in ("serve", "worker", "sandbox"):
        knows = await start(installed, [*entry, role, "--help"], stdout=asyncio.subprocess.DEVNULL)
        assert await knows.wait() == 0
    command = [*entry, *built[-1].last("CMD").words, "--port", str(unused_tcp_port)]
    server = await start(installed, command, LUDO_AUTH="open", LUDO_DRAIN="0s")
    try:
        check = built[-1].last("HEALTHCHECK").text.partition("CMD ")[2]
        asking = stages(f"FROM x\nCMD {check.replace('8080', str(unused_tcp_port))}")[0]
        assert await wait_until(lambda: passes(installed, asking.last("CMD").words), timeout=30)
    finally:
        server.terminate()
        assert await asyncio.wait_for(server.wait(), 20) == 0


def has_what_is_not_python(installed: PlainFolder) -> None:
    """The wheel has the scripts and the board, not only the modules."""
    packages = next((installed.root / "opt/ludo/lib").glob("python*/site-packages"))
    kept = {path for path in sources() if path.suffix != ".py"}
    assert kept
    assert {path for path in kept if not (packages / path).is_file()} == set()


async def start(
    installed: PlainFolder, command: list[str], stdout: int | None = None, **settings: str
) -> asyncio.subprocess.Process:
    """One of the image's programs, where and with what the image would run it."""
    return await asyncio.create_subprocess_exec(
        installed.root / "opt/ludo/bin" / command[0],
        *command[1:],
        cwd=installed.inside("."),
        env=installed.environ | settings,
        stdout=stdout,
        stderr=stdout,
    )


async def passes(installed: PlainFolder, check: list[str]) -> bool:
    """Whether a health check's command ends well."""
    asked = await start(installed, check, stdout=asyncio.subprocess.DEVNULL)
    return await asked.wait() == 0
