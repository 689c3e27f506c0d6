"""The API: every operation to its owner, to a program without the scope, to a stranger, and to nobody."""

import io
import json
import os
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from headshotly.access.bearers import SCOPES
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.frontdoor.api import document
from headshotly.integrations import allowance, tokens
from headshotly.integrations.models import KeptAnswer
from headshotly.policy import configuration
from headshotly.rights import tasks as rights_tasks
from headshotly.rights.models import ErasurePlan, Export
from headshotly.studio import tasks
from headshotly.studio.models import Headshot, Photo, Shoot
from tests.accounts.conftest import browser
from tests.conftest import PASSWORD
from tests.integrations.conftest import ALL, NAME, Program, assert_problem, keep_photo, program_of

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "formats" / "openapi.json"
STYLES = ["studio-grey", "linkedin"]
# What each operation is sent where a body is needed for it to be understood.
BODIES = {
    "/jobs": {"photo_ids": [str(uuid4())], "styles": ["cv"]},
    "/webhooks": {"url": "https://hooks.example.org/", "events": ["job.done"]},
    "/account/deletion": {"confirm": "delete everything"},
}


def operations():
    return sorted(document.scopes_of_operations().items())


def filled(path: str) -> str:
    for name in ("photo", "job", "result", "export", "seat", "webhook", "delivery"):
        path = path.replace(f"{{{name}_id}}", str(uuid4()))
    return f"/api/v1{path}"


def call(client: Program, method: str, path: str):
    if (method, path) == ("post", "/photos"):
        return client.upload(SimpleUploadedFile("x.jpg", b"no picture"))
    body = json.dumps(BODIES.get(path, {})) if method == "post" else ""
    return client.generic(method.upper(), filled(path), body, content_type="application/json")


def acts() -> list[Act]:
    return [decode(bytes(row.leaf)).act for row in [*PendingEntry.objects.all(), *Disclosure.objects.all()]]


def test_the_committed_document_is_what_the_code_gives() -> None:
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        DOCUMENT.write_text(document.as_text(), encoding="utf-8")
    assert document.as_text() == DOCUMENT.read_text(encoding="utf-8")
    served = browser().get("/api/v1/openapi.json")
    assert served.json() == json.loads(DOCUMENT.read_text(encoding="utf-8"))
    assert served.json()["openapi"].startswith("3.1")
    assert not served.cookies


def test_the_document_says_which_headers_a_refused_program_acts_on() -> None:
    made = document.document()
    told = {
        "401": {"WWW-Authenticate"},
        "429": {"Retry-After", "RateLimit", "RateLimit-Policy"},
        "503": {"Retry-After"},
    }
    for methods in made["paths"].values():
        for operation in methods.values():
            for status, headers in told.items():
                name = operation["responses"][status]["$ref"].rpartition("/")[2]
                assert set(made["components"]["responses"][name]["headers"]) == headers
                assert headers <= set(made["components"]["headers"])


@pytest.mark.clause("2.4.a")
def test_every_operation_needs_a_token_and_its_own_scope(person) -> None:
    found = operations()
    assert len(found) > 25
    assert {scope for _, scope in found if scope} == set(SCOPES), "a scope that opens nothing, or one nobody named"
    nobody = Program("")
    only = {scope: program_of(person, scope) for scope in ("photos.read", "jobs.read")}
    for (method, path), scope in found:
        unknown = assert_problem(call(nobody, method, path), 401)
        assert "token" in unknown["detail"]
        if scope:
            wrong = only["jobs.read" if scope == "photos.read" else "photos.read"]
            answer = call(wrong, method, path)
            assert_problem(answer, 403, "access.scope")
            assert f'scope="{scope}"' in answer["WWW-Authenticate"]


@pytest.mark.clause("2.4.a")
@pytest.mark.parametrize("how", ["unknown", "revoked", "expired", "suspended", "another scheme", "a staff program's"])
def test_what_is_no_valid_token_opens_nothing(person, how, later) -> None:
    from headshotly.accounts import services as accounts
    from headshotly.audit.actor import SYSTEM
    from headshotly.integrations.models import AccessToken

    client = program_of(person)
    assert client.get("account").status_code == 200
    match how:
        case "unknown":
            client = Program("hsc_" + "0" * 49)
        case "revoked":
            tokens.revoke(actor=person.actor, subject=person.id, token_id=AccessToken.objects.get().id)
        case "expired":
            later(days=31)
        case "suspended":
            accounts.suspend(actor=SYSTEM, subject=person.id)
        case "another scheme":
            client = Program("", HTTP_AUTHORIZATION=f"Basic {client.token}")
        case _:
            client = Program("hsy_" + "x" * 43)
    answer = client.get("account")
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.clause("2.4.a")
def test_a_browsers_session_means_nothing_here_and_no_cookie_is_set(person) -> None:
    signed_in = browser()
    assert signed_in.post("/account/sign-in/", {"email": person.email, "password": PASSWORD}).status_code == 302
    assert_problem(signed_in.get("/api/v1/photos"), 401)
    assert_problem(signed_in.post("/api/v1/jobs", {}, content_type="application/json"), 401)
    answer = program_of(person).get("photos", HTTP_SEC_GPC="1")
    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.clause("5.1.a")
def test_what_is_somebody_elses_is_not_there(person, make_person, flat_engine) -> None:
    mine = keep_photo(person)
    client, eve = program_of(person), program_of(make_person("eve@example.org"))
    job = client.say("jobs", {"photo_ids": [str(mine.id)], "styles": ["cv"]}).json()
    tasks.run_shoot.call(job["id"])
    made = Headshot.objects.get()
    export = client.say("exports", {}).json()
    hook = client.say("webhooks", {"url": "https://hooks.example.org/x", "events": ["job.done"]}).json()
    for method, path in (
        ("GET", f"photos/{mine.id}"), ("GET", f"photos/{mine.id}/preview"), ("DELETE", f"photos/{mine.id}"),
        ("GET", f"jobs/{job['id']}"), ("POST", f"jobs/{job['id']}/cancel"), ("GET", f"results?job_id={job['id']}"),
        ("GET", f"results/{made.id}"), ("GET", f"results/{made.id}/file"), ("DELETE", f"results/{made.id}"),
        ("GET", f"exports/{export['id']}"), ("GET", f"exports/{export['id']}/file"),
        ("GET", f"webhooks/{hook['id']}"), ("DELETE", f"webhooks/{hook['id']}"),
        ("GET", f"webhooks/{hook['id']}/deliveries"),
    ):  # fmt: skip
        theirs = assert_problem(eve.generic(method, path), 404)
        none = eve.generic(method, path.replace(path.split("/")[1][:36], str(uuid4())) if "?" not in path else path)
        assert theirs == none.json(), "the answers tell the two apart"
    assert_problem(eve.say("jobs", {"photo_ids": [str(mine.id)], "styles": ["cv"]}), 404)
    for path in ("photos", "jobs", "results", "exports", "webhooks", "team/seats"):
        assert eve.get(path).json()["items"] == []
    assert Photo.objects.count() == Headshot.objects.count() == 1


def test_the_main_job_from_upload_to_deletion(program, person, shared, flat_engine) -> None:
    photo = shared / "photos" / "good" / "tf_grace_hopper.jpg"
    created = program.upload(SimpleUploadedFile("me.jpg", photo.read_bytes()))
    assert created.status_code == 201, created.content
    uploaded = created.json()
    assert created["Location"] == f"/api/v1/photos/{uploaded['id']}"
    assert program.get(created["Location"]).json() == uploaded
    preview = program.get(f"photos/{uploaded['id']}/preview")
    assert preview.content[:2] == b"\xff\xd8"
    assert "linkedin" in [one["id"] for one in program.get("styles").json()]
    left = program.get("account").json()["headshots_left"]

    started = program.say("jobs", {"photo_ids": [uploaded["id"]], "styles": STYLES})
    assert started.status_code == 202
    job = program.get(started["Location"]).json()
    assert (job["state"], job["percent"], job["styles"]) == ("queued", 0, STYLES)
    tasks.run_shoot.call(job["id"])
    job = program.get(started["Location"]).json()
    assert (job["state"], job["percent"]) == ("done", 100)
    assert program.get("account").json()["headshots_left"] == left - 2

    results = program.get(f"results?job_id={job['id']}").json()["items"]
    assert sorted(one["style"] for one in results) == sorted(STYLES)
    file = program.get(f"results/{results[0]['id']}/file")
    assert file.content[:2] == b"\xff\xd8"
    assert Act.HEADSHOT_DOWNLOADED in acts()
    known = len(acts())
    again = program.get(f"results/{results[0]['id']}/file", HTTP_IF_NONE_MATCH=file["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert len(acts()) == known, "nothing was opened for a program that has it already"

    assert program.delete(f"results/{results[0]['id']}").status_code == 204
    assert program.delete(f"photos/{uploaded['id']}").status_code == 204
    assert_problem(program.delete(f"photos/{uploaded['id']}"), 404)
    assert Photo.objects.count() == 0
    assert Headshot.objects.count() == 1


def test_a_refused_photo_says_why_and_is_not_kept(program, shared) -> None:
    blurred = (shared / "photos" / "derived" / "blurry_timscott.jpg").read_bytes()
    refused = assert_problem(program.upload(SimpleUploadedFile("me.jpg", blurred)), 422, "photo.blurred")
    assert refused["errors"][0]["where"] == ["file"]
    assert_problem(program.upload(SimpleUploadedFile("me.jpg", b"Dear sirs")), 422, "photo.not_a_picture")
    assert Photo.objects.count() == 0


@pytest.mark.clause("1.1.d")
def test_without_consent_no_program_uploads(make_person) -> None:
    client = program_of(make_person("bob@example.org", consent=False))
    assert_problem(client.upload(SimpleUploadedFile("me.jpg", b"x")), 403, "consent.missing")


@pytest.mark.clause("1.2.c")
def test_a_copy_is_asked_for_packed_and_downloaded(program, person) -> None:
    asked = program.say("exports", {})
    assert asked.status_code == 202
    assert_problem(program.say("exports", {}), 409)
    assert_problem(program.get(f"exports/{asked.json()['id']}/file"), 409)
    rights_tasks.build_export.call(asked.json()["id"])
    assert program.get(asked["Location"]).json()["state"] == "ready"
    packed = program.get(f"exports/{asked.json()['id']}/file")
    content = b"".join(packed.streaming_content)
    data = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("data.json"))
    held = data["rooms"]["integrations"]["tokens"][0]
    assert (held["name"], held["scopes"]) == (NAME, ALL)
    assert program.token.encode() not in content
    assert program.get("exports").json()["items"][0]["percent"] == 100


@pytest.mark.parametrize("days", [False, True, None, "", "0", 0.5, -7, 1, [], {}])
def test_nothing_but_a_number_of_days_decides_how_soon_everything_is_deleted(program, days):
    """``false`` equals 0 in Python, and 0 deletes at once: a client's slip must not be read as that."""
    answer = program.say("account/deletion", {"confirm": "delete everything", "days": days})
    assert answer.status_code == 422
    assert program.get("account").json()["deletion_due_at"] is None


@pytest.mark.clause("1.2.c")
def test_everything_is_deleted_after_time_to_think_or_at_once(program, person) -> None:
    assert_problem(program.say("account/deletion", {"confirm": "yes"}), 422, "request.invalid")
    planned = program.say("account/deletion", {"confirm": "delete everything"})
    assert planned.status_code == 202
    assert program.get("account").json()["deletion_due_at"] == planned.json()["due_at"]
    assert program.delete("account/deletion").status_code == 204
    assert ErasurePlan.objects.count() == 0
    done = program.say("account/deletion", {"confirm": "delete everything", "days": 0}, key="last")
    assert done.status_code == 200
    receipt = browser().get(
        done.json()["receipt_url"].removeprefix(configuration.current().public_url), {"download": 1}
    )
    assert str(person.id) in receipt.content.decode()
    assert_problem(program.get("account"), 401)
    assert KeptAnswer.objects.count() == 0


def test_errors_are_problems_whoever_finds_them(program, person, settings) -> None:
    assert_problem(program.get("nothing-here"), 404)
    assert_problem(program.get("photos/none"), 404)
    wrong = program.generic("PUT", "photos")
    assert_problem(wrong, 405)
    assert "GET" in wrong["Allow"]
    assert_problem(program.generic("POST", "jobs", "{", content_type="application/json"), 400)
    invalid = assert_problem(program.say("jobs", {"photo_ids": [], "styles": ["none"], "more": 1}), 422)
    assert [one["where"] for one in invalid["errors"]] == [["body", "photo_ids"], ["body", "more"]]
    missing = assert_problem(program.post("/api/v1/photos", {"picture": "x"}), 422)
    assert [one["where"] for one in missing["errors"]] == [["file"]]
    assert_problem(program.get("photos?limit=1000"), 422, "request.invalid")
    assert_problem(program.get("photos?cursor=!"), 422, "page.cursor")
    for sent in ("application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x"):
        answer = program.generic("POST", "jobs", "photo_ids=x", content_type=sent)
        assert "application/json" in assert_problem(answer, 415, "request.media_type")["detail"]
    assert "multipart/form-data" in assert_problem(program.say("photos", {}), 415, "request.media_type")["detail"]
    too_much = "x" * (1 << 20) + "x"
    assert_problem(program.generic("POST", "jobs", too_much, content_type="application/json"), 413)
    assert_problem(program.get("photos", CONTENT_LENGTH="999999999999"), 413, "request.too_large")
    assert_problem(program.get("photos?limit=1' OR '1'='1' --"), 403, "request.blocked")
    assert_problem(program.say("jobs", {"photo_ids": ["4111 1111 1111 1111"], "styles": ["cv"]}), 422)
    assert_problem(program.get("photos", HTTP_HOST="evil.example"), 400)


def test_what_breaks_on_our_side_is_a_problem_that_says_nothing_of_it(program, monkeypatch) -> None:
    from headshotly.studio import selectors

    def broken(_subject):
        raise RuntimeError("the secret detail")

    monkeypatch.setattr(selectors, "photos_of", broken)
    program.raise_request_exception = False
    answer = program.get("photos")
    assert_problem(answer, 500)
    assert b"secret" not in answer.content


@pytest.mark.clause("8.1.a-b")
def test_while_the_service_is_read_only_programs_look_and_change_nothing(program, monkeypatch) -> None:
    from headshotly.incidents import containment

    monkeypatch.setattr(containment, "read_only", lambda: True)
    assert program.get("photos").status_code == 200
    answer = program.say("jobs", BODIES["/jobs"])
    assert_problem(answer, 503)
    assert answer["Retry-After"] == "600"


def test_who_asks_too_often_is_told_how_long_to_wait(person, later, monkeypatch) -> None:
    client, other = program_of(person), program_of(person, "jobs.read")
    monkeypatch.setattr(allowance, "most", lambda: 3)
    first = client.get("photos")
    assert first["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert first["RateLimit"].startswith('"requests";r=2;t=')
    assert other.get("jobs").status_code == 200, "another token of the same customer, out of the same allowance"
    assert client.get("nothing-here").status_code == 404
    assert client.get("photos").status_code == 200
    refused = client.get("photos")
    assert_problem(refused, 429, "allowance.spent")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"].startswith('"requests";r=0;t=')
    later(seconds=61)
    assert client.get("photos").status_code == 200


def test_lists_come_in_pages_that_neither_repeat_nor_skip(program, person) -> None:
    kept = [str(keep_photo(person).id) for _ in range(5)]
    Photo.objects.update(received_at=Photo.objects.first().received_at)
    seen, cursor = [], ""
    while cursor is not None:
        page = program.get(f"photos?limit=2{'&cursor=' + cursor if cursor else ''}").json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if len(seen) == 2:
            keep_photo(person)  # comes in between and belongs to no later page
    assert sorted(seen) == sorted(kept)


def test_what_has_not_changed_is_not_sent_again(program, person) -> None:
    first = program.get("photos")
    assert program.get("photos", HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    keep_photo(person)
    changed = program.get("photos", HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_a_job_is_stopped_and_gives_back_what_it_did_not_make(program, person) -> None:
    photo = keep_photo(person)
    left = program.get("account").json()["headshots_left"]
    job = program.say("jobs", {"photo_ids": [str(photo.id)], "styles": STYLES}).json()
    assert program.say(f"jobs/{job['id']}/cancel", {}).json()["state"] == "cancelled"
    assert_problem(program.say(f"jobs/{job['id']}/cancel", {}), 409)
    assert program.get("account").json()["headshots_left"] == left


def test_who_has_not_paid_is_told_so(program, person, settings) -> None:
    from dataclasses import replace

    here = configuration.current()
    settings.HEADSHOTLY = replace(here, options={**here.options, "orders.trial_headshots": "1"})
    photo = keep_photo(person)
    assert_problem(program.say("jobs", {"photo_ids": [str(photo.id)], "styles": STYLES}), 402, "orders.payment_needed")
    assert Shoot.objects.count() == 0


def test_a_team_sees_its_seats_and_makes_links(person, make_person) -> None:
    from headshotly.orders import seats
    from headshotly.orders.models import Order, OrderState
    from headshotly.policy import clock

    def order(subject, state):
        made = Order.objects.create(
            subject=subject, package_id="team", seats=2, currency="EUR", price_minor=1, provider="x",
            created_at=clock.now(), state=state,
        )  # fmt: skip
        seats.make(made)
        return made

    order(person.id, OrderState.PAID)
    order(person.id, OrderState.REFUNDED)
    client, eve = program_of(person, "team.read", "team.write"), program_of(make_person("eve@example.org"))
    found = client.get("team/seats").json()["items"]
    assert [(one["state"], one["taken"], one["invited_at"]) for one in found] == [("free", False, None)] * 2
    link = client.say(f"team/seats/{found[0]['id']}/link", {}).json()["url"]
    seats.take(actor=person.actor, subject=person.id, token=link.rstrip("/").rsplit("/", 1)[1])
    assert [one["taken"] for one in client.get("team/seats").json()["items"]].count(True) == 1
    assert str(person.id) not in client.get("team/seats").content.decode(), "not who has which seat"
    taken = f"team/seats/{found[0]['id']}"
    assert client.get(taken).json()["state"] == "taken"
    assert_problem(client.say(f"{taken}/link", {}), 409, "orders.seat")
    assert_problem(eve.get(taken), 404)
    assert_problem(eve.say(f"{taken}/withdraw", {}), 404)
    assert client.say(f"{taken}/withdraw", {}, key="w").json()["state"] == "free"
    assert client.say(f"{taken}/link", {}).status_code == 200
    again = client.say(f"{taken}/withdraw", {}, key="w")
    assert again["Idempotency-Replayed"] == "true"
    assert client.get(taken).json()["state"] == "invited", "the same request again changes nothing"
    assert_problem(eve.say(f"team/seats/{found[1]['id']}/link", {}), 404)


def test_an_export_tells_how_far_it_is(program) -> None:
    made = program.say("exports", {}).json()
    Export.objects.update(steps_total=10, steps_done=5)
    assert program.get(f"exports/{made['id']}").json()["percent"] == 50
