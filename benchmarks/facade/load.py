"""wrk, and what it says."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_AT = re.compile(r"\s+(50|99)%\s+([\d.]+)(us|ms|s)")
_BAD = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
# Every request asks for a room that nobody asked for before.
_FRESH = """
local salt = os.getenv('BENCH_SALT') or 'x'
local n = 0
request = function()
  n = n + 1
  return wrk.format('GET', '/v1/rooms/' .. salt .. 'N' .. n)
end
"""


@dataclass(frozen=True)
class Load:
    """One run: requests a second, milliseconds at the median and at 99 %, and bad answers."""

    rate: float
    p50: float
    p99: float
    bad: int


def wrk(
    url: str,
    seconds: int,
    *,
    connections: int = 64,
    token: str | None = None,
    script: Path | None = None,
    salt: str = "",
) -> Load:
    """One thread, keep-alive connections; a script decides on paths."""
    arguments = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    arguments += ["-H", f"Authorization: Bearer {token}"] if token else []
    arguments += ["-s", str(script)] if script else []
    said = subprocess.run(
        [*arguments, url],
        capture_output=True,
        text=True,
        check=True,
        env={"BENCH_SALT": salt, "PATH": "/usr/bin:/bin:/usr/local/bin"},
    ).stdout
    found = _RATE.search(said)
    assert found is not None, said
    times = {at: float(number) * _MS[unit] for at, number, unit in _AT.findall(said)}
    bad = _BAD.search(said)
    return Load(
        float(found[1]), times.get("50", 0.0), times.get("99", 0.0), int(bad[1]) if bad else 0
    )


def fresh_paths(folder: Path) -> Path:
    """The script of misses."""
    script = folder / "fresh.lua"
    script.write_text(_FRESH)
    return script
