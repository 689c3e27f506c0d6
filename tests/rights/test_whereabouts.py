"""*Where my photos went*: every store, every backup, and when each ended."""

import dataclasses
import datetime as dt
import uuid

import pytest

from headshotly.audit.sequencing import sequence_once
from headshotly.continuity.models import BackupRecord, BackupState
from headshotly.policy import clock, configuration
from headshotly.rights.whereabouts import whereabouts
from headshotly.vault import places
from headshotly.vault import services as vault
from headshotly.vault.models import StorePeriod

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.clause("2.2")]


@pytest.fixture
def at(monkeypatch):
    begun = clock.now()

    def hours(number: float) -> dt.datetime:
        moment = begun + dt.timedelta(hours=number)
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    return hours


def _seal(person, kind: str = "photo") -> uuid.UUID:
    return vault.seal(
        actor=person.actor, subject=person.id, kind=kind, purpose="headshot-generation", plaintext=b"a face"
    )


def _move(settings, **changed) -> None:
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), **changed)


def test_a_picture_is_followed_through_stores_and_backups(person, at, settings):
    at(0)
    assert places.note() is True
    assert places.note() is False
    at(1)
    object_id = _seal(person)
    snapshot = at(2)
    BackupRecord.objects.create(
        began_at=snapshot, snapshot_at=snapshot, state=BackupState.COMPLETE, machine="m",
        held_by=["eu-central-1", "eu-north-1"],
    )  # fmt: skip
    moved = at(3)
    _move(settings, object_store="s3", options={"s3.bucket": "faces", "s3.region": "eu-west-1"})
    assert places.note() is True
    gone = at(4)
    while sequence_once():
        pass
    [found] = whereabouts(person.id)
    assert (found.object_id, found.kind, found.destroyed_at) == (object_id, "Photo you uploaded", None)
    assert [(one.place, one.region, one.until) for one in found.stays] == [
        ("Encrypted folder", "where the service runs", moved),
        ("S3 bucket faces", "eu-west-1", None),
        ("Encrypted backup", "eu-central-1", None),
        ("Encrypted backup", "eu-north-1", None),
    ]
    _move(settings, object_store="folder", options={})
    vault.destroy(object_id=object_id, actor=person.actor)
    while sequence_once():
        pass
    [found] = whereabouts(person.id)
    assert found.destroyed_at == gone
    assert found.kind == "Picture"
    assert {one.until for one in found.stays} == {moved, gone}


def test_a_picture_of_before_the_first_note_lay_where_was_noted_first(person, at):
    at(0)
    _seal(person)
    at(1)
    places.note()
    at(2)
    while sequence_once():
        pass
    [found] = whereabouts(person.id)
    assert [one.place for one in found.stays] == ["Encrypted folder"]


def test_a_backup_of_before_or_after_does_not_count(person, at):
    for hour in (0, 5):
        moment = at(hour)
        BackupRecord.objects.create(
            began_at=moment, snapshot_at=moment, state=BackupState.COMPLETE, machine="m", held_by=["eu-north-1"]
        )
    places.note()
    at(1)
    object_id = _seal(person)
    at(2)
    vault.destroy(object_id=object_id, actor=person.actor)
    while sequence_once():
        pass
    [found] = whereabouts(person.id)
    assert "Encrypted backup" not in {one.place for one in found.stays}


def test_the_database_keeps_one_open_period():
    from django.db import IntegrityError, transaction

    places.note()
    with pytest.raises(IntegrityError), transaction.atomic():
        StorePeriod.objects.create(store="x", vendor="y", region="z", since=clock.now())


def test_two_customers_see_their_own_only(make_person):
    one, other = make_person("ada@example.org"), make_person("bea@example.org")
    _seal(one)
    while sequence_once():
        pass
    assert len(whereabouts(one.id)) == 1
    assert whereabouts(other.id) == []


def test_many_pictures_cost_as_many_questions_as_one(make_person):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asked = []
    places.note()
    for email, count in (("ada@example.org", 1), ("bea@example.org", 12)):
        person = make_person(email)
        for _ in range(count):
            _seal(person)
        while sequence_once():
            pass
        with CaptureQueriesContext(connection) as queries:
            assert len(whereabouts(person.id)) == count
        asked.append(len(queries))
    assert asked[0] == asked[1]
