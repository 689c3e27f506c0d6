"""The drill really restores, measures, signs; and a step that does not run fails it."""

import base64
import dataclasses
import json
import uuid

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from headshotly.access.services import create_staff
from headshotly.audit.actor import SYSTEM
from headshotly.continuity import catalogue, drilling, manifest, places, plan, report, selectors, services
from headshotly.continuity.errors import BackupDamaged
from headshotly.continuity.progress import silence
from headshotly.continuity.s3_store import S3Repository
from headshotly.frontdoor.drill_place import DrillPlace
from headshotly.policy import clock, configuration
from headshotly.rights import erasure
from headshotly.vault import selectors as vault_contents
from headshotly.vault import services as vault
from headshotly.vault import wiring
from headshotly.vault.aws_keys import AwsKeyService
from headshotly.vault.s3 import S3ObjectStore
from headshotly.vendors import aws
from tests import aws_server
from tests.continuity.conftest import DATABASES, EAST, NORTH

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)


@pytest.fixture(scope="module")
def amazon(tmp_path_factory):
    with aws_server.running(tmp_path_factory.mktemp("aws")) as played:
        yield played


@pytest.fixture(params=["folders and a key file", "S3 and KMS"])
def side(request, settings, monkeypatch, backups):
    """Where objects, keys and backups of the living system lie: on this machine, or in AWS as production has them."""
    if request.param == "S3 and KMS":
        played = request.getfixturevalue("amazon")
        for name, value in played.environment.items():
            monkeypatch.setenv(name, value)
        _in_aws(settings, played.url)
    yield request.param
    wiring.rewire()


def _in_aws(settings, url: str) -> None:
    """Choose what infra/ chooses; buckets of their own for each test, those of backups locked as there."""
    mark = uuid.uuid4().hex[:8]
    names = {name: f"{name}-{mark}" for name in ("objects", "backup", "mirror", "second", "second-mirror")}
    for name, bucket in names.items():
        region = NORTH if "second" in name else EAST
        aws.client("s3", region=region, endpoint=url).create_bucket(
            Bucket=bucket,
            ObjectLockEnabledForBucket=name in {"backup", "second"},
            CreateBucketConfiguration={"LocationConstraint": region},
        )
    options = {
        "s3.bucket": names["objects"], "s3.region": EAST, "s3.endpoint": url,
        "kms.region": EAST, "kms.endpoint": url, "kms.alias": f"alias/headshotly-{mark}/root",
        "backup.stores": f"s3:{names['backup']}|{names['mirror']}@{EAST},"
                         f"s3:{names['second']}|{names['second-mirror']}@{NORTH}",
        "backup.endpoint": url, "backup.key_alias": f"alias/headshotly-{mark}/backup",
    }  # fmt: skip
    here = settings.HEADSHOTLY
    settings.HEADSHOTLY = dataclasses.replace(
        here, key_service="aws-kms", object_store="s3", options={**here.options, **options}
    )
    wiring.rewire()
    places.rewire()


@pytest.fixture
def exercised(side, living, settings):
    create_staff(actor=SYSTEM, handle="operator", role="operations")
    living.add("bert", b"bert deletes this one")
    if side == "S3 and KMS":
        settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, environment="production")
    services.back_up(actor=SYSTEM)
    return living


@pytest.mark.clause("6.2.a", "6.2.b")
def test_a_drill_restores_everything_measures_and_signs(side, exercised, tmp_path):
    ada = exercised.people["ada"]
    erasure.erase_everything(actor=ada.actor, subject=ada.id)
    vault.destroy(actor=SYSTEM, object_id=list(exercised.objects)[-1])
    services.mirror()
    # The backup was made under the root before.
    rotated = services.rotate_root(actor=SYSTEM)
    assert (len(rotated.retired), rotated.backups, rotated.written) == (1, 1, 2)
    before = sorted(path.name for path in (tmp_path.parent).glob("headshotly-drill-*"))
    record = services.drill(actor=SYSTEM)
    seen = report.of(record)
    if side == "S3 and KMS":
        assert isinstance(wiring.object_store(), S3ObjectStore)
        assert all(isinstance(store.repository, S3Repository) and store.repository.locks for store in places.stores())
        assert isinstance(places.key_service(), AwsKeyService)
    assert record.passed, [step for step in seen.steps if not step["passed"]]
    assert [step["id"] for step in seen.steps] == [step.id for step in plan.plan().steps]
    assert all(step["ran"] for step in seen.steps)
    assert 0 < record.recovery_seconds < 300
    assert 0 < record.loss_seconds < 300
    assert seen.fields["objects"] == 1
    assert any("1 objects that were destroyed since did not come back" in step["sentence"] for step in seen.steps)
    assert seen.fields["customer"] == str(exercised.people["bert"].id)
    assert seen.fields["entries_lost"] >= 0
    assert before == sorted(path.name for path in (tmp_path.parent).glob("headshotly-drill-*"))
    key = catalogue.look(places.stores(), places.key_service()).newest().key.signing.public_key()
    assert manifest.require_signature(record.signed.encode(), key)["passed"] is True
    forged = record.signed.replace(f'"objects": {seen.fields["objects"]}', '"objects": 99')
    assert forged != record.signed
    with pytest.raises(BackupDamaged):
        manifest.require_signature(forged.encode(), key)
    assert report.pdf(record).startswith(b"%PDF")
    assert selectors.drill_standing().good
    assert base64.b64decode(seen.fields["public_key"]) == key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    # The living system was only read.
    assert exercised.people["bert"].id in {row.subject for row in vault_contents.sealed_rows()}


@pytest.mark.clause("6.2.b")
def test_a_drill_over_a_broken_copy_fails_and_says_why(exercised):
    """One region's copy of one object rots; the drill of that region, which uses nothing else, must not pass."""
    found = catalogue.look(places.stores(), places.key_service()).newest()
    blob = found.contents().objects[0].blob
    [store] = [one for one in places.stores() if one.region == EAST]
    good = b"".join(store.repository.read(blob.name))
    store.repository.put(blob.name, iter([bytes([good[0] ^ 1]) + good[1:]]), until=clock.now())
    record = services.drill(actor=SYSTEM)
    assert not record.passed
    steps = {step["id"]: step for step in report.of(record).steps}
    assert report.of(record).fields["region"] == EAST
    assert "1 objects are in no store" in steps["restore"]["sentence"]
    assert (steps["restore"]["passed"], steps["serve"]["ran"], steps["leave"]["passed"]) == (False, False, True)
    assert not selectors.drill_standing().good
    # The other region's copy heals it.
    assert services.check(actor=SYSTEM).whole
    assert b"".join(store.repository.read(blob.name)) == good


def _plan(change) -> plan.Plan:
    text = plan.FILE.read_text()
    return plan.read(change(text).encode())


@pytest.mark.clause("6.2.b")
def test_a_step_that_does_not_exist_fails_the_drill_and_the_place_is_removed(exercised):
    other = _plan(lambda text: text.replace('act = "restore_everything"', 'act = "pray"'))
    held, signed = drilling.hold(silence, count=0, chosen=other)
    assert not held.passed
    results = {step.id: step for step in held.steps}
    assert "does not exist" in results["restore"].sentence
    assert not results["restore"].ran
    assert not results["journal"].ran
    assert results["leave"].passed
    assert json.loads(signed)["signed"]["passed"] is False


@pytest.mark.clause("6.2.b")
def test_without_a_backup_or_an_owner_a_drill_fails_and_says_so(living):
    held = services.drill(actor=SYSTEM)
    assert not held.passed
    assert "Nobody holds the role operations" in held.sentence
    create_staff(actor=SYSTEM, handle="operator", role="operations")
    held = services.drill(actor=SYSTEM)
    assert not held.passed
    assert "There is no backup in any store" in held.sentence
    assert not selectors.drill_standing().good


def test_an_objective_that_is_missed_fails_the_drill(exercised, monkeypatch):
    strict = _plan(lambda text: text.replace("recovery_hours = 4 ", "recovery_hours = 0.0000001 "))
    monkeypatch.setattr(drilling, "_execute", lambda it, _progress: _pretend(it))
    held, _ = drilling.hold(silence, count=1, chosen=strict)
    assert held.region == NORTH != EAST
    assert held.sentences == ["Recovery took longer than the objective."]
    assert not held.passed


def _pretend(it) -> None:
    it.drill.steps = [drilling.StepResult(id="x", title="x", who="x", ran=True, passed=True)]
    it.drill.recovery_seconds, it.drill.loss_seconds = 1.0, 1.0


def test_a_plan_without_owner_steps_or_sense_is_none():
    for change in (
        lambda text: text.replace('owner = "operations"', 'owner = ""'),
        lambda text: text.replace('id = "choose"', 'id = "people"'),
        lambda text: text.replace("recovery_hours = 4 ", "recovery_hours = 0 "),
    ):
        with pytest.raises(ValueError):
            _plan(change)


def test_no_drill_without_steps_passes():
    import datetime as dt

    assert not drilling.Drill(began_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)).passed


def test_the_place_of_a_drill_reaches_keys_and_backups_as_the_service_does(settings):
    """It knows nothing of the living system but where those are, and that AWS's endpoints lie inside our network."""
    here = configuration.current()
    known = {"vendors.private": "aws", "kms.region": "eu-north-1", "database.ca_file": "/app/rds-ca.pem",
             "s3.bucket": "objects", "witness.bucket": "witness"}  # fmt: skip
    settings.HEADSHOTLY = dataclasses.replace(here, environment="production", options={**here.options, **known})
    place = DrillPlace()
    try:
        told = place._environment
        assert told["HEADSHOTLY_ENVIRONMENT"] == "staging", "in production an act takes a grant, which nobody gives"
        assert told["HEADSHOTLY_OPTION_VENDORS__PRIVATE"] == "aws"
        assert told["HEADSHOTLY_OPTION_KMS__REGION"] == "eu-north-1"
        assert told["HEADSHOTLY_OPTION_DATABASE__CA_FILE"] == "/app/rds-ca.pem"
        assert not {"HEADSHOTLY_OPTION_S3__BUCKET", "HEADSHOTLY_OPTION_WITNESS__BUCKET"} & set(told)
    finally:
        place.remove()
