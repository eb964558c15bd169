"""Twenty games at once, five seeds, with and without a state endpoint: only in `make prove`."""

from pathlib import Path

import pytest

from tests.e2e.demos import ludo_proxy, started_in

pytestmark = [pytest.mark.e2e, pytest.mark.prove, pytest.mark.timeout(600)]


@pytest.mark.parametrize("faults", ["all", "lossless,state_down=1"])
@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5"])
async def test_twenty_games_end_equal_to_the_truth(seed: str, faults: str, tmp_path: Path) -> None:
    """Every mirror and every board ends equal to the truth, whatever the seed breaks."""
    ran = await ludo_proxy(
        *("demo", "--once", "--games", "20", "--seed", seed, "--faults", faults),
        *("--json", "--port", "0", "--data-dir", str(tmp_path)),
        within=500,
    )

    assert ran.code == 0, ran.err
    assert len(ran.games) == 20
    assert all(game["equal"] for game in ran.games)
    assert started_in(tmp_path) == []
