"""What `/openapi.json` promises is what callers get: schemathesis asks for all of it."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.proxy.builders import SECRET, a_token
from tests.proxy.test_server import serving
from tests.upstream.servers import http, raw_server

JSON = "Content-Type: application/json"
BODY = b'{"success":true,"data":{}}'
CREATING = ("POST /v1/rooms ", "POST /v1/players ")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"


async def fuzzed(redis_url: str, folder: Path, examples: int) -> tuple[int, str]:
    """The exit code of schemathesis against a running `serve`, and what it said."""
    given = {"LUDO_QUOTA": "off", "LUDO_UPSTREAM_LIMIT": "off", "LUDO_JWT_SECRET": SECRET}

    async def answer(writer: asyncio.StreamWriter) -> None:
        created = answering.heads[-1].startswith(CREATING)
        writer.write(http(BODY, JSON, status="201 Created" if created else "200 OK"))
        await writer.drain()

    async with (
        raw_server(answer) as answering,
        serving(redis_url, "--role", "api", LUDO_API_BASE_URL=answering.url, **given) as found,
    ):
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "schemathesis"),
            *("run", f"{found.url}/openapi.json", "--checks", CHECKS, "--seed", "1"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(examples)),
            *("--include-path-regex", "^/v1/", "--continue-on-failure", "--no-color"),
            *("--header", f"Authorization: Bearer {a_token()}"),
            *("--suppress-health-check", "all", "--generation-database", "none"),
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


async def test_every_answer_is_described(redis_url: str, tmp_path: Path) -> None:
    """No 5xx, no status and no media type that the description does not name."""
    code, said = await fuzzed(redis_url, tmp_path, 3)
    assert code == 0, said
    assert re.search(r"[1-9]\d* generated", said), said
    assert "returned only 401" not in said, said


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_every_answer_is_described_at_length(redis_url: str, tmp_path: Path) -> None:
    """The same with two hundred examples for each operation."""
    code, said = await fuzzed(redis_url, tmp_path, 200)
    assert code == 0, said
