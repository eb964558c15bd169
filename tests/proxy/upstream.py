"""An upstream at the edge of the client: answers as told, and counts what arrives."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def data(value: Any, status: int = 200, **headers: str) -> httpx.Response:
    """A success in upstream's envelope."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(status, json={"success": True, "data": value}, headers=names)


def no(status: int, code: str, error: str, **more: str) -> httpx.Response:
    """A refusal in upstream's words."""
    return httpx.Response(status, json={"success": False, "code": code, "error": error, **more})


class Upstream(httpx.AsyncBaseTransport):
    """Answers by method and path; whatever it was not told is 404."""

    def __init__(self) -> None:
        self.arrived: list[httpx.Request] = []
        self._answers: dict[tuple[str, str], Answer] = {}
        self._open = asyncio.Event()
        self._open.set()

    def says(self, method: str, path: str, answer: Answer) -> None:
        """From now on this is the answer."""
        self._answers[method, path] = answer

    def hold(self) -> None:
        """Let calls arrive and wait, until `go_on`."""
        self._open.clear()

    def go_on(self) -> None:
        """Answer those who wait."""
        self._open.set()

    def calls(self, method: str, path: str) -> int:
        """How often this was asked for."""
        return sum(r.method == method and r.url.path == "/v1" + path for r in self.arrived)

    def body(self) -> Any:
        """The body of the last call."""
        return msgspec.json.decode(self.arrived[-1].content)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.arrived.append(request)
        await self._open.wait()
        path = request.url.path.removeprefix("/v1")
        answer = self._answers.get((request.method, path), no(404, "NOT_FOUND", "nothing here"))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # Each call gets an answer of its own: a response is read once.
            kept = (answer.status_code, answer.headers, answer.content)
            answer = lambda _: httpx.Response(kept[0], headers=kept[1], content=kept[2])  # noqa: E731
        return answer(request)
