"""Games that are being played, from the list that the host of a relay has."""

from urllib.parse import urlsplit, urlunsplit

import httpx

from cli.failing import CannotGoOn


async def find_games(url: str, token: str | None) -> list[str]:
    """The ids of the games that `/v1/games` lists as playing; at least one."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    address = urlunsplit((scheme, parts.netloc, "/v1/games", "status=playing", ""))
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.get(address, headers=headers)
            games = answer.raise_for_status().json()["data"]
            playing = [str(game["gameId"]) for game in games if game.get("status") == "playing"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"{address}: expected a list of games; {error!r}. Or name one: --game"
        raise CannotGoOn(told) from None
    if not playing:
        raise CannotGoOn(f"{address}: expected a game that is being played; found none")
    return playing
