"""`ludo-proxy deliver`: signed test deliveries from a file."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from time import time
from typing import Final
from uuid import uuid4

import httpx
import msgspec
import typer

from cli.failing import CannotGoOn
from ludo.upstream.config import WebhookConfig
from ludo.upstream.keyring import SigningKey, UnusableKey
from ludo.upstream.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

TIMEOUT_S: Final = 10.0
VARIABLE: Final = "LUDO_WEBHOOK_SECRETS"


async def deliver_file(file: Path, url: str, environ: Mapping[str, str], *, as_json: bool) -> bool:
    """Delivers each line of the file; whether every one was accepted (200 or 202)."""
    key = first_key(environ)
    accepted = True
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        async for number, body in _lines(file):
            status, told = await _deliver(http, url, key, body)
            accepted = accepted and status in (200, 202)
            typer.echo(_line(number, status, told, as_json=as_json))
    return accepted


def first_key(environ: Mapping[str, str]) -> SigningKey:
    """The first key of LUDO_WEBHOOK_SECRETS that can sign; raises CannotGoOn."""
    text = WebhookConfig.from_env(environ).secrets.get_secret_value()
    for part in (each.strip() for each in text.split(",")):
        if part.startswith(("whsec_", "whsk_")):
            try:
                return SigningKey.parse(part)
            except UnusableKey as error:
                raise CannotGoOn(f"{VARIABLE}: {error}") from None
    raise CannotGoOn(f"{VARIABLE}: expected a whsec_… or whsk_… to sign with; found none")


async def _lines(file: Path) -> AsyncIterator[tuple[int, bytes]]:
    try:
        text = sys.stdin.buffer if str(file) == "-" else await asyncio.to_thread(file.open, "rb")
    except OSError as error:
        raise CannotGoOn(f"{file}: expected a readable file; {error.strerror}") from None
    with text:
        number = 0
        while line := await asyncio.to_thread(text.readline):
            number += 1
            if line.strip():
                yield number, line.strip()


async def _deliver(
    http: httpx.AsyncClient, url: str, key: SigningKey, body: bytes
) -> tuple[int, str]:
    webhook_id, now = f"msg_{uuid4().hex}", int(time())
    headers = {
        "content-type": "application/json",
        ID_HEADER: webhook_id,
        TIMESTAMP_HEADER: str(now),
        SIGNATURE_HEADER: sign(key, webhook_id, now, body),
    }
    try:
        answer = await http.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        raise CannotGoOn(f"{url}: expected a receiver; {error!r}") from None
    return answer.status_code, answer.text


def _line(number: int, status: int, told: str, *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode({"line": number, "status": status, "answer": told}).decode()
    return f"{number}: {status} {told}"
