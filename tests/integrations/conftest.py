"""Programs for the suite: a customer, a token with some scopes, and a client that shows it."""

import json

import numpy as np
import pytest
from django.test import Client

from headshotly.access.bearers import SCOPES
from headshotly.accounts import pace
from headshotly.frontdoor.api.pages import PROBLEMS
from headshotly.integrations import tokens
from headshotly.policy import clock
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.studio import decoding
from headshotly.studio import engine as engines
from headshotly.studio.models import Photo
from headshotly.vault import services as vault

ALL = sorted(SCOPES)
NAME = "kanarkowy program"
PROBLEM = "application/problem+json"


class Program(Client):
    """A customer's program: shows its token, speaks HTTPS, sends and reads JSON."""

    def __init__(self, token: str, **defaults) -> None:
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        super().__init__(enforce_csrf_checks=True, HTTP_HOST="localhost", **bearer, **defaults)
        self.token = token

    def generic(self, method, path, *arguments, **named):
        where = path if path.startswith("/") else f"/api/v1/{path}"
        return super().generic(method, where, *arguments, **{**named, "secure": True})

    def say(self, path: str, document, *, key: str | None = None):
        extra = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
        return self.generic("POST", path, json.dumps(document), content_type="application/json", **extra)

    def upload(self, file, *, key: str | None = None):
        extra = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
        return self.post("/api/v1/photos", {"file": file}, **extra)


def program_of(person, *scopes: str) -> Program:
    return Program(tokens.issue(actor=person.actor, subject=person.id, name=NAME, scopes=list(scopes) or ALL, days=30))


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.0)


@pytest.fixture
def program(person) -> Program:
    return program_of(person)


class FlatEngine:
    """Stands in for the portrait engine, whose pictures the engine's own suite looks at."""

    photos_used = 1

    def prepare(self, picture, *, others=(), progress):
        progress("finding the face")
        return picture

    def render(self, _prepared, style):
        return engines.Headshot(picture=np.full((90, 70, 3), len(style.id), np.uint8), notes=("A note.",))


@pytest.fixture
def flat_engine(monkeypatch) -> None:
    from headshotly.studio import tasks

    monkeypatch.setattr(tasks, "engine", FlatEngine)


def keep_photo(person) -> Photo:
    """A photo that is kept already; the gate has its own suite."""
    picture = np.zeros((48, 40, 3), np.uint8)
    kept = [
        vault.seal(actor=person.actor, subject=person.id, kind=kind, purpose=HEADSHOT_GENERATION, plaintext=data)
        for kind, data in (("photo", decoding.encode_master(picture)), ("preview", decoding.encode_preview(picture)))
    ]
    return Photo.objects.create(
        subject=person.id, object_id=kept[0], preview_id=kept[1], sentence="", score=1, received_at=clock.now()
    )


def assert_problem(answer, status: int, code: str = "") -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == PROBLEM
    document = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(document)
    assert document["status"] == status
    assert document["detail"]
    assert not code or document["code"] == code, document
    assert not answer.cookies
    # The problem's type leads to the page about the API, and there says what to do.
    explained = {code for codes, _, _ in PROBLEMS for code in codes.split()}
    assert document["code"] in explained or document["code"].startswith("http.4"), document["code"]
    assert document["type"].endswith(f"/api/#{document['code']}")
    return document
