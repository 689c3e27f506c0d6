"""A request with an idempotency key is done once: sent again, sent otherwise, sent at once, broken off anywhere."""

import ast
import functools
import sys
import threading
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headshotly.frontdoor.api import once, photos
from headshotly.integrations import idempotency
from headshotly.integrations.models import KeptAnswer, WebhookEndpoint
from headshotly.policy import configuration
from headshotly.rights import retention
from headshotly.studio import decoding, gate
from headshotly.studio import services as studio
from headshotly.studio.models import Photo, Shoot
from headshotly.vault import services as vault
from headshotly.vault.errors import KeyServiceUnavailable
from tests.integrations.conftest import NAME, assert_problem, keep_photo, program_of
from tests.rights.test_leaving import everything_stored

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def job(photo, *styles: str) -> dict:
    return {"photo_ids": [str(photo.id)], "styles": list(styles) or ["cv"]}


def test_the_same_request_is_done_once_and_answered_alike(program, person) -> None:
    photo = keep_photo(person)
    first = program.say("jobs", job(photo), key="k")
    again = program.say("jobs", job(photo), key="k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Shoot.objects.count() == 1
    assert program.say("jobs", job(photo), key="another").json() != first.json()


def test_the_same_key_for_another_request_is_refused(program, person) -> None:
    photo = keep_photo(person)
    assert program.say("jobs", job(photo), key="k").status_code == 202
    assert_problem(program.say("jobs", job(photo, "banner"), key="k"), 422, "idempotency.key_reused")
    assert_problem(program.say("exports", {}, key="k"), 422, "idempotency.key_reused")
    assert Shoot.objects.count() == 1


def test_an_upload_is_known_by_its_bytes_whatever_its_boundary(program, shared) -> None:
    photo = (shared / "photos" / "good" / "tf_grace_hopper.jpg").read_bytes()
    first = program.upload(SimpleUploadedFile("me.jpg", photo), key="k")
    again = program.upload(SimpleUploadedFile("me.jpg", photo), key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert_problem(program.upload(SimpleUploadedFile("me.jpg", photo + b"x"), key="k"), 422, "idempotency.key_reused")
    assert Photo.objects.count() == 1


def test_two_tokens_do_not_meet_in_one_key(person) -> None:
    photo = keep_photo(person)
    for client in (program_of(person), program_of(person)):
        assert "Idempotency-Replayed" not in client.say("jobs", job(photo), key="k")
    assert Shoot.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_refused(program, person, key) -> None:
    assert_problem(program.say("jobs", job(keep_photo(person)), key=key), 400, "idempotency.key_unusable")
    assert Shoot.objects.count() == 0


def test_a_refused_request_frees_its_key(program, person) -> None:
    photo = keep_photo(person)
    assert_problem(program.say("jobs", {"photo_ids": [], "styles": ["cv"]}, key="k"), 422, "request.invalid")
    assert program.say("jobs", job(photo), key="k").status_code == 202


def test_while_it_is_being_done_the_same_request_waits(program, person, monkeypatch) -> None:
    photo, inside, go_on = keep_photo(person), threading.Event(), threading.Event()
    real, answers = studio.receive_photo, []

    def slow(**named):
        inside.set()
        assert go_on.wait(10)
        return real(**named)

    monkeypatch.setattr(studio, "receive_photo", slow)

    def send() -> None:
        try:
            answers.append(program_like(program).upload(SimpleUploadedFile("x.jpg", b"no picture"), key="k"))
        finally:
            connections.close_all()

    sending = threading.Thread(target=send)
    sending.start()
    assert inside.wait(10)
    assert_problem(program.upload(SimpleUploadedFile("x.jpg", b"no picture"), key="k"), 409, "idempotency.key_busy")
    assert_problem(program.upload(SimpleUploadedFile("x.jpg", b"other"), key="k"), 422, "idempotency.key_reused")
    go_on.set()
    sending.join(20)
    assert answers[0].status_code == 422
    assert photo.id == Photo.objects.get().id


def program_like(program):
    return type(program)(program.token)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("where", ["before the work", "after the work"])
def test_a_job_that_a_crash_broke_off_happened_whole_or_not_at_all(program, person, monkeypatch, later, where) -> None:
    """Failed both ways: it did not happen, or it happened and nobody heard. A job costs, so it is never done twice."""
    photo = keep_photo(person)
    place = (studio, "start_shoot") if where == "before the work" else (idempotency, "finish")

    def killed(*_args, **_named):
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(*place, killed)
        dying.setattr(idempotency, "release", lambda _claim: None)  # a killed process tidies nothing
        with pytest.raises(Killed):
            program.say("jobs", job(photo), key="k")
    assert Shoot.objects.count() == 0
    if KeptAnswer.objects.exists():
        assert_problem(program.say("jobs", job(photo), key="k"), 409, "idempotency.key_busy")
    later(minutes=4)
    assert program.say("jobs", job(photo), key="k").status_code == 202
    assert Shoot.objects.count() == 1


@pytest.fixture
def portrait(monkeypatch, shared):
    """A file that is decoded and judged beforehand, so that it can be uploaded many times in a second."""
    data, here = (shared / "photos" / "good" / "tf_grace_hopper.jpg").read_bytes(), configuration.current()
    picture = decoding.decode(data, pixels_max=here.photo_pixels_max, bytes_max=here.photo_bytes_max)
    verdict = gate.judge(picture, here.models_folder)
    monkeypatch.setattr(decoding, "decode", lambda *_, **__: picture)
    monkeypatch.setattr(gate, "judge", lambda *_: verdict)
    monkeypatch.setattr(gate, "draw", lambda *_: picture[::8, ::8])
    small = decoding.encode_preview(picture)
    for name in ("encode_master", "encode_preview"):
        monkeypatch.setattr(decoding, name, lambda *_, **__: small)
    return lambda: SimpleUploadedFile("me.jpg", data)


# From the claim to its answer; what only reads the request is left out.
_WATCHED = {
    each.__code__
    for each in (once._do, photos.upload_photo, photos._kept, studio.receive_photo, studio._keep, idempotency.finish)
}


@functools.cache
def statements(file: str) -> frozenset[int]:
    """The lines on which a file's statements begin; a call's further lines are no places of their own."""
    return frozenset(each.lineno for each in ast.walk(ast.parse(Path(file).read_text())) if isinstance(each, ast.stmt))


def dies_before(step: int, act) -> bool:
    """Do something, and be killed before the nth statement between a claim and its answer; say whether it was.

    It is done on a thread of its own, whose connections end with it as a killed process's do: without a word.
    """
    left, killed = [step], []

    def each(frame, event, _argument):
        if event == "line" and frame.f_lineno in statements(frame.f_code.co_filename):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return each

    def called(frame, _event, _argument):
        return each if frame.f_code in _WATCHED else None

    def live() -> None:
        sys.settrace(called)
        try:
            act()
        except Killed:
            killed.append(True)
        finally:
            sys.settrace(None)
            for each_one in connections.all(initialized_only=True):
                if each_one.connection is not None:
                    each_one.connection.close()

    thread = threading.Thread(target=live)
    thread.start()
    thread.join()
    return bool(killed)


def test_an_upload_killed_at_any_statement_is_kept_once_when_it_is_sent_again(
    program, portrait, monkeypatch, later
) -> None:
    step, steps_after_keeping = 0, 0
    while True:
        key = f"k{step}"
        with monkeypatch.context() as dying:
            for tidying in ("release", "give_back"):  # a killed process tidies nothing
                dying.setattr(idempotency, tidying, lambda _claim: None)
            killed = dies_before(step, lambda key=key: program.upload(portrait(), key=key))
        steps_after_keeping += killed and Photo.objects.exists()
        later(minutes=4)
        again = program.upload(portrait(), key=key)
        assert again.status_code == 201, step
        assert [str(each.id) for each in Photo.objects.all()] == [again.json()["id"]], step
        Photo.objects.all().delete()
        if not killed:
            break
        step += 1
    assert step > 30
    assert steps_after_keeping > 5


def test_an_upload_whose_answer_could_not_be_kept_is_kept_once(program, portrait, monkeypatch) -> None:
    """It happened but reported failure: the key service went away between the photo and its answer."""

    def away(**_named):
        raise KeyServiceUnavailable("The key service does not answer.")

    with monkeypatch.context() as dark:
        dark.setattr(vault, "seal_field", away)
        dark.setattr(program, "raise_request_exception", False)
        assert_problem(program.upload(portrait(), key="k"), 503)
    kept = Photo.objects.get()
    other = SimpleUploadedFile("x.jpg", b"something else")
    assert_problem(program.upload(other, key="k"), 422, "idempotency.key_reused")
    answer = program.upload(portrait(), key="k")
    assert (answer.status_code, answer.json()["id"], answer["Location"]) == (
        201, str(kept.id), f"/api/v1/photos/{kept.id}",
    )  # fmt: skip
    assert Photo.objects.count() == 1


def test_of_two_who_upload_the_same_request_one_photo_is_kept(program, portrait, monkeypatch, later) -> None:
    """The first was believed dead and was only slow: both keep, one finds the other's, and both are told of it."""
    real, first = decoding.encode_master, []

    def slow(*arguments):
        if not first:
            first.append(True)
            later(minutes=4)
            first.append(program_like(program).upload(portrait(), key="k"))
        return real(*arguments)

    monkeypatch.setattr(decoding, "encode_master", slow)
    late = program.upload(portrait(), key="k")
    assert (late.status_code, first[1].status_code) == (201, 201)
    assert late.json() == first[1].json()
    assert Photo.objects.count() == 1


def test_an_unforeseen_mistake_frees_the_key(program, person, monkeypatch) -> None:
    photo, real = keep_photo(person), studio.start_shoot
    monkeypatch.setattr(studio, "start_shoot", lambda **_named: 1 / 0)
    program.raise_request_exception = False
    assert_problem(program.say("jobs", job(photo), key="k"), 500)
    monkeypatch.setattr(studio, "start_shoot", real)
    assert program.say("jobs", job(photo), key="k").status_code == 202


def test_after_a_day_a_key_is_new_again(program, person, later) -> None:
    photo = keep_photo(person)
    program.say("jobs", job(photo), key="k")
    later(hours=23, minutes=59)
    assert program.say("jobs", job(photo), key="k")["Idempotency-Replayed"] == "true"
    later(minutes=2)
    assert "Idempotency-Replayed" not in program.say("jobs", job(photo), key="k")
    later(hours=25)
    assert retention.sweep()["repeated-requests"] >= 1
    assert KeptAnswer.objects.count() == 0


@pytest.mark.clause("3.2.a")
def test_nothing_of_a_kept_answer_or_its_key_is_readable(program) -> None:
    secret_path = "kanarkowa-sciezka"
    made = program.say(
        "webhooks", {"url": f"https://hooks.example.org/{secret_path}", "events": ["job.done"]}, key="klucz.kanarka"
    ).json()
    stored = everything_stored()
    for word in (secret_path, "klucz.kanarka", made["secret"], program.token, NAME):
        assert word.encode() not in stored, word
    assert WebhookEndpoint.objects.count() == 1


def test_an_answer_is_not_kept_for_who_left_meanwhile(program, person) -> None:
    mine = idempotency.begin(bearer=_bearer(program), key="k", request=b"r")
    KeptAnswer.objects.all().delete()
    vault.shred(actor=person.actor, subject=person.id)
    idempotency.finish(mine, idempotency.Answer(202, "{}"))
    assert KeptAnswer.objects.count() == 0


def _bearer(program):
    from headshotly.integrations import tokens

    return tokens.recognise(program.token)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([b"1", b"2"]), st.booleans()), max_size=8))
def test_in_any_order_each_key_is_done_at_most_once(program, acts) -> None:
    """A model: the first success decides what a key stands for; refusals free it."""
    KeptAnswer.objects.all().delete()
    known: dict[str, bytes] = {}
    for key, request, succeeds in acts:
        try:
            claim = idempotency.begin(bearer=_bearer(program), key=key, request=request)
        except idempotency.KeyReused:
            assert known[key] != request
            continue
        if isinstance(claim, idempotency.Answer):
            assert (known[key], claim.body) == (request, request.decode())
            continue
        assert key not in known
        if succeeds:
            idempotency.finish(claim, idempotency.Answer(201, request.decode()))
            known[key] = request
        else:
            idempotency.release(claim)
