"""Load in a closed loop, made by ``wrk`` in a process of its own, with sessions, forms and uploads."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
_SCRIPT = """
local asks, at = {}, 0
local function read(path)
  local file = assert(io.open(path, "rb"))
  local data = file:read("*a")
  file:close()
  return data
end
function init(args)
  for line in io.lines(args[1]) do
    local method, path, headers, body = line:match("^(%S+)\\t(%S+)\\t([^\\t]*)\\t([^\\t]*)$")
    local named = {}
    for name, value in headers:gmatch("([^=|]+)=([^|]*)") do named[name] = value end
    if body == "" then body = nil else body = read(body) end
    asks[#asks + 1] = wrk.format(method, path, named, body)
  end
end
function request()
  at = at % #asks + 1
  return asks[at]
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %f %f %d %d %d %d\\n", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50.0), latency:percentile(99.0),
    summary.errors.connect, summary.errors.read + summary.errors.write, summary.errors.status, summary.errors.timeout))
end
"""


class LoadFailed(Exception):
    """A request was not answered as it should be, so the numbers would say nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to repeat. ``body`` is a file that holds its bytes."""

    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: Path | None = None

    def line(self) -> str:
        """Return it as the script reads it."""
        headers = "|".join(f"{name}={value}" for name, value in self.headers)
        return f"{self.method}\t{self.path}\t{headers}\t{self.body or ''}\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a load.

    Attributes:
        rate: requests a second.
        p50: median latency, in milliseconds.
        p99: 99th percentile of the latency, in milliseconds.
        bytes_each: mean length of an answer, headers included.
        requests: how many were answered.
    """

    rate: float
    p50: float
    p99: float
    bytes_each: float
    requests: float


def available() -> bool:
    """Say whether ``wrk`` is installed (Debian: ``apt-get install wrk``)."""
    return shutil.which("wrk") is not None


def load(base: str, asks: Sequence[Ask], *, seconds: float, folder: Path, connections: int = CONNECTIONS) -> Answered:
    """Repeat requests in turns over some connections and return how they were answered.

    Raises:
        LoadFailed: an answer was an error, timed out, or none came.
    """
    script, list_ = folder / "wrk.lua", folder / "asks.txt"
    script.write_text(_SCRIPT)
    list_.write_text("".join(ask.line() for ask in asks))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s", script, base, "--", list_]
    told = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (.+)", told)
    if found is None:
        raise LoadFailed(told)
    requests, micros, length, p50, p99, *errors = (float(one) for one in found[1].split())
    if any(errors) or not requests:
        raise LoadFailed(f"{base}{asks[0].path}: {json.dumps(errors)} (connect, transfer, status, timeout)")
    return Answered(requests / (micros / 1e6), p50 / 1000, p99 / 1000, length / requests, requests)
