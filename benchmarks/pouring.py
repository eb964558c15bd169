"""Pours distinct deliveries over open connections as fast as they are answered, by wrk.

wrk takes some 20 µs for a delivery, a sender in Python 150: on two cores the latter would be what
is measured.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.answers import SHARES, Answers

_SCRIPT: Final = """
local threads = {}
function setup(thread) table.insert(threads, thread) end

function init()
  local file = io.open(os.getenv('BENCH_REQUESTS'), 'rb')
  all, at, ran_out = file:read('*a'), 1, false
  file:close()
end

function request()
  local size = tonumber(all:sub(at, at + 7))
  if not size then
    ran_out, at = true, 1
    return request()
  end
  at = at + 8 + size
  return all:sub(at - size, at - 1)
end

function done(summary, latency)
  local ms = {}
  for share in string.gmatch(os.getenv('BENCH_SHARES'), '[%d.]+') do
    table.insert(ms, latency:percentile(tonumber(share)) / 1000)
  end
  local errors = summary.errors
  io.write(string.format('\\n{"answers": %d, "refused": %d, "broken": %d, "us": %d, ' ..
    '"ran_out": %s, "ms": [%s]}\\n', summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration,
    tostring(threads[1]:get('ran_out')), table.concat(ms, ',')))
end
"""


def as_fast_as_possible(
    port: int, requests: Sequence[bytes], connections: int, seconds: int
) -> Answers:
    """What came back in so many seconds; ends the process if there were too few requests."""
    command = shutil.which("wrk")
    if command is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        content, script = Path(folder, "requests"), Path(folder, "pour.lua")
        content.write_bytes(b"".join(b"%08d%b" % (len(each), each) for each in requests))
        script.write_text(_SCRIPT)
        said = subprocess.run(
            [
                *(command, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)),
                f"http://127.0.0.1:{port}",
            ],
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "BENCH_REQUESTS": str(content),
                "BENCH_SHARES": ",".join(str(share * 100) for share in SHARES),
            },
        ).stdout
    told = json.loads(said.splitlines()[-1])
    if told["ran_out"] or told["broken"]:
        raise SystemExit(f"expected enough requests and no broken connection; found {told}")
    return Answers(
        number=told["answers"],
        refused=told["refused"],
        seconds=told["us"] / 1e6,
        ms=dict(zip(SHARES, told["ms"], strict=True)),
    )
