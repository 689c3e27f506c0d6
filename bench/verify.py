"""How long ``headshotly policy verify`` takes on the default installation, against its limit of 30 seconds."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

LIMIT = 30.0
RUNS = 3


def once(environment: dict[str, str]) -> tuple[float, int]:
    began = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-m", "headshotly.frontdoor", "policy", "verify", "--format", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return time.perf_counter() - began, len(json.loads(answer.stdout))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {  # noqa: TID251 - handed on to the program as it is
            "HEADSHOTLY_DATA": f"{folder}/data",
            "HEADSHOTLY_MAIL": f"{folder}/mail",
            "HEADSHOTLY_HTTPS_PORT": "1",
            "HEADSHOTLY_HTTP_PORT": "1",
        }
        once(environment)  # makes the tables
        runs = [once(environment) for _ in range(RUNS)]
    median = statistics.median(seconds for seconds, _ in runs)
    print(f"| {runs[0][1]} clauses, scratch listener included | {median:.1f} s | {median / LIMIT:.2f} of the limit |")


if __name__ == "__main__":
    main()
