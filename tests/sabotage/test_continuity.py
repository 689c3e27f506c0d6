"""Backups, plan and drills, broken: section 6."""

import dataclasses
import json
import shutil

import pytest

from headshotly.access.models import StaffMember
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.continuity import catalogue, manifest, places, plan, sealing, services
from headshotly.continuity.models import DrillRecord
from headshotly.policy import clock
from headshotly.vault import services as vault
from tests.access.conftest import make_member

ALL = pytest.mark.django_db(databases="__all__")
COMMITTED = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def backups(settings):
    """A whole backup in two empty stores."""
    folder = settings.HEADSHOTLY.data_folder.parent / "backups"
    shutil.rmtree(folder, ignore_errors=True)
    places.rewire()
    from uuid import uuid4

    who = uuid4()
    vault.create_customer_key(actor=SYSTEM, subject=who)
    actor = Actor(kind="customer", id=who)
    vault.seal(actor=actor, subject=who, kind="photo", purpose="p", plaintext=b"a photo" * 100)
    services.require_complete(services.back_up(actor=SYSTEM))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    places.rewire()


def _found() -> catalogue.Found:
    return catalogue.require_newest(catalogue.look(places.stores(), places.key_service()))


@COMMITTED
@pytest.mark.sabotage("backup_is_recent", "no backup was made for two days")
def test_backups_that_stopped(backups, watch, later) -> None:
    watch.is_content()
    later(hours=49)
    watch.is_broken("49 hours old")


@COMMITTED
@pytest.mark.sabotage("backup_is_recent", "the manifests were removed from every store")
def test_backups_that_are_gone(backups, watch) -> None:
    watch.is_content()
    for folder in backups.glob("*/repository/manifests"):
        shutil.rmtree(folder)
    watch.is_broken("no store has one")


@COMMITTED
@pytest.mark.sabotage("backup_is_recent", "a manifest was forged")
def test_a_forged_manifest(backups, watch) -> None:
    watch.is_content()
    for path in backups.glob("*/repository/manifests/*.json"):
        path.write_bytes(path.read_bytes().replace(b'"missing": 0', b'"missing": 7'))
    watch.is_broken("can be believed")


@COMMITTED
@pytest.mark.sabotage("backup_is_recent", "backups are written without encryption")
def test_backups_in_plaintext(backups, watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(sealing, "seal", lambda _key, plaintext, **_: plaintext)
    monkeypatch.setattr(sealing, "unseal", lambda _key, sealed, **_: sealed)
    shutil.rmtree(backups)
    services.back_up(actor=SYSTEM)
    watch.is_broken("not encrypted")


@COMMITTED
@pytest.mark.sabotage("backups_lie_apart", "one region lost a part of the newest backup")
def test_a_part_that_is_gone(backups, watch) -> None:
    watch.is_content()
    part = next(iter(_found().contents().blobs()))
    (backups / "stockholm" / "repository" / part.name).unlink()
    watch.is_broken("eu-north-1 lacks 1 parts")


@COMMITTED
@pytest.mark.sabotage("backups_lie_apart", "everything in one region is gone")
def test_a_region_that_is_gone(backups, watch) -> None:
    watch.is_content()
    shutil.rmtree(backups / "frankfurt")
    watch.is_broken("eu-central-1")


@COMMITTED
@pytest.mark.sabotage("backups_lie_apart", "the second store was taken out of the configuration")
def test_a_single_store(backups, watch, settings) -> None:
    watch.is_content()
    options = {"backup.stores": f"folder:{backups / 'frankfurt'}@eu-central-1"}
    settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, options=options)
    places.rewire()
    watch.is_broken("two different regions")


@COMMITTED
@pytest.mark.sabotage("backup_key_in_date", "the backups' root key is not rotated for more than a year")
def test_an_old_root_of_backups(backups, watch, later) -> None:
    watch.is_content()
    later(days=400)
    watch.is_broken("400 days old")


@COMMITTED
@pytest.mark.sabotage("backup_key_in_date", "a rotation stopped half-way, and backups open under the older root only")
def test_a_half_rotation_of_backups(backups, watch) -> None:
    watch.is_content()
    places.key_service().new_root()
    watch.is_broken("backups in eu-north-1 open under an older root only")
    services.rotate_root(actor=SYSTEM)
    watch.is_content()


@COMMITTED
@pytest.mark.sabotage("backup_key_in_date", "one region lost the wrapping under the root in force")
def test_a_wrapping_that_is_gone(backups, watch) -> None:
    services.rotate_root(actor=SYSTEM)
    watch.is_content()
    shutil.rmtree(backups / "stockholm" / "repository" / "keys")
    watch.is_broken("backups in eu-north-1 open under an older root only")


@ALL
@pytest.mark.sabotage("plan_is_reviewed", "the plan was changed after its review")
def test_a_plan_nobody_read(watch, monkeypatch) -> None:
    member = make_member("operations")
    actor = Actor(kind="staff", id=member.id, role=member.role)
    services.review_plan(actor=actor, member=member, sha256=plan.plan().sha256)
    watch.is_content()
    other = plan.read(plan.FILE.read_bytes().replace(b"recovery_hours = 4 ", b"recovery_hours = 40 "))
    monkeypatch.setattr(plan, "plan", lambda: other)
    watch.is_broken("changed after its last review")


@ALL
@pytest.mark.sabotage("plan_is_reviewed", "the review is more than a year old")
def test_an_old_review(watch, later) -> None:
    member = make_member("operations")
    services.review_plan(actor=SYSTEM, member=member, sha256=plan.plan().sha256)
    watch.is_content()
    later(days=366)
    watch.is_broken("too old")


@ALL
@pytest.mark.sabotage("plan_is_reviewed", "the owner of the plan left")
def test_a_plan_without_an_owner(watch) -> None:
    services.review_plan(actor=SYSTEM, member=make_member("operations"), sha256=plan.plan().sha256)
    watch.is_content()
    StaffMember.objects.filter(role="operations").update(is_active=False)
    watch.is_broken("Nobody holds the role operations")


@pytest.fixture
def drill(backups) -> DrillRecord:
    """The signed record of a drill that passed, as one that was held leaves it."""
    step = {"id": "a", "title": "A", "who": "operations", "ran": True, "passed": True, "seconds": 1.0, "sentence": "s"}
    document = {
        "began_at": clock.now().isoformat(), "passed": True, "steps": [step], "recovery_seconds": 20.0,
        "loss_seconds": 60.0, "entries_lost": 0, "objects": 1,
        "plan": {"recovery_hours": 4.0, "data_loss_hours": 24.0, "sha256": plan.plan().sha256},
    }  # fmt: skip
    return _record(document)


def _record(document: dict) -> DrillRecord:
    signed = manifest.sign(document, _found().key.signing).decode()
    return DrillRecord.objects.create(
        began_at=clock.now(), ended_at=clock.now(), passed=document["passed"],
        recovery_seconds=20.0, loss_seconds=60.0, sentence="", signed=signed,
    )  # fmt: skip


def _document(drill: DrillRecord) -> dict:
    return json.loads(drill.signed)["signed"]


@COMMITTED
@pytest.mark.sabotage("drill_passed", "a failed drill was made to look passed")
def test_a_forged_record(drill, watch) -> None:
    watch.is_content()
    DrillRecord.objects.update(signed=drill.signed.replace('"recovery_seconds": 20.0', '"recovery_seconds": 10.0'))
    watch.is_broken("not as it was signed")


@COMMITTED
@pytest.mark.sabotage("drill_passed", "a later drill failed")
def test_a_drill_that_failed(drill, watch) -> None:
    watch.is_content()
    failed = _document(drill)
    failed["passed"], failed["steps"][0]["passed"] = False, False
    watch.is_broken(_record(failed).id)


@COMMITTED
@pytest.mark.sabotage("drill_passed", "recovery took longer than the objective")
def test_a_slow_drill(drill, watch) -> None:
    watch.is_content()
    _record({**_document(drill), "recovery_seconds": 5 * 3600.0})
    watch.is_broken("missed an objective")


@COMMITTED
@pytest.mark.sabotage("drill_passed", "no drill was held for a hundred days")
def test_drills_that_stopped(drill, watch, later) -> None:
    watch.is_content()
    later(days=100)
    watch.is_broken("too long ago")
