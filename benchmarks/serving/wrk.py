"""Load by `wrk`: so many connections, each with one request under way, as fast as they are answered.

`wrk` (https://github.com/wg/wrk) corrects its latencies for coordinated omission; percentiles are of all answers.
"""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_SECONDS = 30

# `%s` are JSON strings, which Lua reads as its own.
SCRIPT = """
local bodies, requests, turn = {}, {}, 0
for index = 1, %d do
  local file = assert(io.open(%s .. "/" .. index, "rb"))
  bodies[index] = file:read("*all")
  file:close()
end
wrk.method = "POST"
wrk.body = bodies[1]
%s
if #bodies > 1 then
  function init(args)
    for index, body in ipairs(bodies) do requests[index] = wrk.format(nil, nil, nil, body) end
  end
  function request()
    turn = turn %% #requests + 1
    return requests[turn]
  end
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{"answers": %%d, "refused": %%d, "broken": %%d, "us": %%d, "p50_us": %%f, "p99_us": %%f}',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Post:
    """One POST request, or several that differ in their bodies and are sent in turn."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    others: tuple[bytes, ...] = ()
    """The bodies behind the first."""


@dataclass(frozen=True)
class Load:
    """What a run gave. Rates are of answers below 400; `refused` are the others, `broken` connections and timeouts."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @property
    def errors(self) -> int:
        """Everything that was not a good answer."""
        return self.refused + self.broken


def missing() -> str | None:
    """How to get `wrk` where it is not installed; None where it is."""
    if shutil.which("wrk"):
        return None
    return "wrk is not installed: it is Debian's and Ubuntu's package `wrk` (`apt-get install wrk`), Homebrew's too."


def load(post: Post, port: int, connections: int, seconds: float) -> Load:
    """Send `post` to 127.0.0.1 over so many connections from one thread."""
    headers = "\n".join(
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in post.headers.items()
    )
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "post.lua")
        bodies = (post.body, *post.others)
        for index, body in enumerate(bodies, 1):
            Path(directory, str(index)).write_bytes(body)
        script.write_text(SCRIPT % (len(bodies), json.dumps(directory, ensure_ascii=False), headers))
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--timeout", f"{TIMEOUT_SECONDS}s"]
        command += ["--duration", f"{seconds:.0f}s", "--script", str(script), f"http://127.0.0.1:{port}{post.path}"]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = json.loads(printed.rsplit("\n", 1)[-1])
    good = found["answers"] - found["refused"]
    return Load(
        good / (found["us"] / 1e6), found["p50_us"] / 1000, found["p99_us"] / 1000, found["refused"], found["broken"]
    )
