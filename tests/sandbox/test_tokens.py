"""Session tokens of registered players."""

import jwt

from sandbox.tokens import SessionTokens


def test_a_token_names_its_player_for_a_day() -> None:
    """HS256, as upstream's examples show."""
    token = SessionTokens("key").make("plr_1", 1_700_000_000_000)

    claims = jwt.decode(token, options={"verify_signature": False})

    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert claims == {"sub": "plr_1", "iat": 1_700_000_000, "exp": 1_700_086_400}
