"""Something that one process of all does: held by a key that ends with its holder."""

import secrets

from ludo.store.scripts import Scripts


class Ownership:
    """Our claim to one key. Calls raise redis.exceptions.RedisError.

    Who holds it has to do so again within `seconds`; whoever asks first after that has it then.
    """

    def __init__(self, scripts: Scripts, key: str, seconds: float) -> None:
        self._scripts = scripts
        self._key = key
        self._ms = int(seconds * 1000)
        self._token = secrets.token_hex(8)

    async def hold(self) -> bool:
        """Whether it is ours from now on."""
        held = await self._scripts.run("hold", keys=[self._key], args=[self._token, self._ms])
        return bool(held)

    async def release(self) -> None:
        """Leave it to the next one at once."""
        await self._scripts.run("give_back", keys=[self._key], args=[self._token])
