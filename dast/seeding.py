"""What the customer of the scan has before it begins, made through the API itself: something to attack."""

import os
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from dast.results import ScanFailed
from dast.serving import Browser, Service

_REPOSITORY = Path(__file__).resolve().parents[1]
# The first is kept and made headshots of; the second is there to be deleted.
_PHOTOS = ("tf_grace_hopper.jpg", "senate_tammy-duckworth.jpg")
_STYLES = ["cv", "linkedin"]
# Names that the API gives the id of an object; each is one that the customer gets.
KINDS = ("photo_id", "job_id", "result_id", "export_id", "webhook_id", "delivery_id", "seat_id")
_PATIENCE = 90.0  # seconds for the job and the copy together; on two idle cores they take ten


@dataclass(frozen=True, slots=True)
class Belongings:
    """What somebody has, as the API names it.

    Attributes:
        ids: name of a parameter → ids that belong there; the last is there to be deleted.
        bodies: name of an operation → a body that it takes.
    """

    ids: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Any]


def photos() -> list[Path]:
    """Return the test photos that are uploaded.

    Raises:
        ScanFailed: they are not there.
    """
    for folder in (os.environ.get("HEADSHOTLY_SHARED"), _REPOSITORY.parent / "shared"):
        found = [Path(folder) / "photos" / "good" / name for name in _PHOTOS] if folder else []
        if found and all(path.is_file() for path in found):
            return found
    raise ScanFailed("Test photos were not found: put them in ../shared or name their folder in HEADSHOTLY_SHARED.")


def seed(service: Service, customer: Browser, token: str) -> Belongings:
    """Give a customer photos, a finished job with headshots, endpoints and what was sent to one, a copy, and seats.

    Args:
        service: that runs.
        customer: signed in, who consented.
        token: of the same customer, with every scope.

    Raises:
        ScanFailed: something was refused, or not ready in time.
    """
    files = photos()
    context = ssl.create_default_context(cafile=str(service.authority))
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{service.url}/api/v1", headers=headers, verify=context, timeout=60) as client:
        told = {"url": "https://hooks.example/headshots", "events": ["job.done", "export.ready"]}
        endpoints = [_said(client.post("/webhooks", json=told))["id"] for _ in range(2)]
        kept = [_said(client.post("/photos", files={"file": (path.name, path.read_bytes())}))["id"] for path in files]
        wanted = {"photo_ids": kept[:1], "styles": _STYLES}
        job = _said(client.post("/jobs", json=wanted))["id"]
        copy = _said(client.post("/exports"))["id"]
        _buy_for_a_team(customer)
        deadline = time.monotonic() + _PATIENCE
        _wait(client, f"/jobs/{job}", "done", deadline)
        _wait(client, f"/exports/{copy}", "ready", deadline)
        made, seats = _ids(client, "/results"), _ids(client, "/team/seats")
        sent = _ids(client, f"/webhooks/{endpoints[0]}/deliveries")
    ids = dict(zip(KINDS, (kept, [job], made, [copy], endpoints, sent, seats), strict=True))
    return Belongings(ids, {"start_job": {**wanted, "styles": _STYLES[:1]}, "register_webhook": told})


def _buy_for_a_team(customer: Browser) -> None:
    paid = customer.fill_in(customer.fill_in(customer.get("/orders/prices/"), count="5"), coupon="", decision="pay")
    if paid.status != HTTPStatus.OK or not paid.path.startswith("/orders/"):
        raise ScanFailed(f"The customer of the scan bought nothing: {paid.status} at {paid.path}.")


def _said(answer: httpx.Response) -> Any:
    if not answer.is_success:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise ScanFailed(f"The customer of the scan got nothing: {asked} said {answer.status_code} {answer.text[:300]}")
    return answer.json()


def _ids(client: httpx.Client, path: str) -> list[str]:
    found = [one["id"] for one in _said(client.get(path))["items"]]
    if not found:
        raise ScanFailed(f"The customer of the scan has nothing at {path}.")
    return found


def _wait(client: httpx.Client, path: str, state: str, deadline: float) -> None:
    while (seen := _said(client.get(path))["state"]) != state:
        if seen in {"failed", "cancelled", "expired"} or time.monotonic() > deadline:
            raise ScanFailed(f"{path} is {seen} and not {state}.")
        time.sleep(0.3)
