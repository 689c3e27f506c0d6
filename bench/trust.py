"""How long the trust page takes: kept, computed anew, and beside the plain policy page, all in one run."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

KEPT_RUNS, ANEW_RUNS = 200, 15


def median_ms(act: Callable[[], object], runs: int) -> float:
    def once() -> float:
        began = time.perf_counter()
        act()
        return (time.perf_counter() - began) * 1000

    return statistics.median(once() for _ in range(runs))


def measure() -> None:
    import django

    django.setup()
    from django.core.cache import cache
    from django.test import Client

    client = Client()

    def get(address: str) -> None:
        assert client.get(address, secure=True, HTTP_HOST="localhost").status_code == 200

    def anew(address: str) -> None:
        cache.clear()
        get(address)

    get("/trust/en/")
    kept = median_ms(lambda: get("/trust/en/"), KEPT_RUNS)
    plain = median_ms(lambda: get("/policy/"), ANEW_RUNS)
    print(f"| trust page, kept | {kept:.1f} ms | {kept / plain:.2f} of the plain policy page |")
    forms = {"trust page": "/trust/en/", "JSON": "/trust/policy.json", "Atom": "/trust/en/changes.atom"}
    for name, address in forms.items():
        took = median_ms(lambda address=address: anew(address), ANEW_RUNS)
        print(f"| {name}, computed anew | {took:.0f} ms | {took / plain:.2f} |")
    print(f"| policy page, every time | {plain:.0f} ms | 1 |")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {  # noqa: TID251 - handed on to the program as it is
            "HEADSHOTLY_DATA": f"{folder}/data",
            "HEADSHOTLY_MAIL": f"{folder}/mail",
            "HEADSHOTLY_HTTPS_PORT": "1",
            "HEADSHOTLY_HTTP_PORT": "1",
            "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        }
        verify = [sys.executable, "-m", "headshotly.frontdoor", "policy", "verify"]
        subprocess.run(verify, env=environment, capture_output=True, check=False)
        act = "from bench.trust import measure; measure()"
        subprocess.run([sys.executable, "-c", act], env=environment, check=True)


if __name__ == "__main__":
    main()
