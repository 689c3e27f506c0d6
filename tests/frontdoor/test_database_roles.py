"""On PostgreSQL, the whole program under its own roles: what each may do, and whose rows the web program sees."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from headshotly.frontdoor import database_roles
from headshotly.policy.refusal import Refusal
from tests import separate_python
from tests.audit.conftest import scratch_postgres  # noqa: F401 - a fixture

JOURNAL = ("pendingentry", "disclosure", "entry", "subtree", "signedhead", "damagedentry")

# Played in a process of its own, under the role its address names.
_SCENES = {
    "web": """
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from tests.accounts.conftest import browser, make_customer
from headshotly.purposes import services as purposes
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
from headshotly.audit.actor import Actor
from headshotly.frontdoor import row_scope
from headshotly.studio import selectors, services
from headshotly.studio.models import Photo
import pathlib
photo = pathlib.Path(os.environ["PHOTO"]).read_bytes()
told, people = {}, []
for number in range(2):
    email = f"person{number}@example.org"
    person = make_customer(email=email, password="drei stille Haselnuesse 41")
    version = current_text(HEADSHOT_GENERATION).version
    actor = Actor(kind="customer", id=person.id)
    purposes.give_consent(actor=actor, subject=person.id, activity=HEADSHOT_GENERATION, version=version)
    client = browser(HTTP_ACCEPT="application/json")
    client.post("/account/sign-in/", {"email": email, "password": "drei stille Haselnuesse 41"})
    answer = client.post("/studio/upload/", {"photos": SimpleUploadedFile("me.jpg", photo)})
    told[f"upload{number}"] = answer.json()[0]["accepted"]
    people.append((person, client))
(ada, adas), (bea, beas) = people
row_scope.see(str(ada.id))
own = Photo.objects.get()
raw = lambda sql, *values: (lambda cursor: (cursor.execute(sql, values), cursor.fetchall())[1])(connection.cursor())
told["raw"] = [str(row[0]) == str(ada.id) for row in raw("SELECT subject FROM studio_photo")]
told["raw_of_another"] = len(raw("SELECT * FROM studio_photo WHERE subject = %s", bea.id))
told["sealed_of_another"] = len(raw("SELECT * FROM vault_storedobject WHERE subject = %s", bea.id))
cursor = connection.cursor()
cursor.execute("UPDATE studio_photo SET score = 0 WHERE subject = %s", [bea.id])
told["changed_of_another"] = cursor.rowcount
try:
    cursor.execute("UPDATE studio_photo SET subject = %s", [bea.id])
    told["gives_away"] = "done"
except Exception as error:
    told["gives_away"] = type(error.__cause__).__name__
row_scope.see("")
told["nobody"] = Photo.objects.count()
row_scope.see("x' OR true --")
told["nonsense"] = Photo.objects.count()
row_scope.see("*")
told["staff"] = Photo.objects.count()
# A view that forgot whose photo it shows: the filter is gone, the database still knows.
theirs = Photo.objects.get(subject=bea.id)
real = services.photo_of
from headshotly.studio import views
forgetful = lambda _subject, photo_id: Photo.objects.get(id=photo_id)
services.photo_of = forgetful
adas.raise_request_exception = False
told["own"] = adas.get(f"/studio/photos/{own.id}/preview.jpg").status_code
told["another_s"] = adas.get(f"/studio/photos/{theirs.id}/preview.jpg").status_code
services.photo_of = real
row_scope.see(str(ada.id))
shoot = services.start_shoot(actor=Actor(kind="customer", id=ada.id), subject=ada.id, photo_ids=[own.id], style_ids=["studio-grey"])
told["home"] = adas.get("/studio/").status_code
told["gone"] = adas.get(f"/studio/shoots/{shoot.id}/").status_code
told["another_shoot"] = beas.get(f"/studio/shoots/{shoot.id}/").status_code
from headshotly.integrations import webhooks
for word in ("fine", "gone", "busy"):
    made = webhooks.register(actor=Actor(kind="customer", id=ada.id), subject=ada.id,
                             url=f"https://hooks.example.org/{word}", events=["export.ready"])
    webhooks.test(subject=ada.id, endpoint_id=made.endpoint.id)
""",
    "worker": """
from headshotly.frontdoor.worker import LeasedWorker
from headshotly.studio.models import Shoot
LeasedWorker(batch=True).run()
told = {"states": list(Shoot.objects.values_list("state", flat=True))}
""",
    "sequencer": """
from headshotly.audit.sequencing import sequence_once
from headshotly.audit.verification import verify
while sequence_once():
    pass
told = {"entries": verify().entries}
""",
    "detector": """
from headshotly.incidents import setting_up
stream = setting_up.stream()
taken = 0
while step := stream.step():
    taken += step
told = {"taken": taken}
""",
    "sender": """
import dataclasses
from uuid import UUID
from django.core.management import call_command
from django.conf import settings
from click.testing import CliRunner
from headshotly.frontdoor.commands.sender import sender
from headshotly.integrations import delivering
from headshotly.integrations.models import WebhookDelivery, WebhookTrouble
from headshotly.integrations.errors import NotDelivered

class Said:
    # Each endpoint's first message is taken; then one says it is gone, another nothing at all.
    sent, gone = [], 0
    def send(self, url, *, headers, body, subject):
        self.sent.append([url, body.decode()])
        return 410 if url.endswith("gone") else 503 if url.endswith("busy") else 200

delivering.sender = lambda: Said()
ran = CliRunner().invoke(sender, ["--once"], catch_exceptions=False)
told = {"code": ran.exit_code, "sent": sorted(url for url, _ in Said.sent),
        "states": sorted(map(str, WebhookDelivery.objects.values_list("state", "answered"))),
        "troubles": list(WebhookTrouble.objects.values_list("what", flat=True))}
told = json.loads(json.dumps(told))
""",
    "duties": """
from headshotly.frontdoor.models import DutyRecord
from headshotly.frontdoor.roster import run_due
quick = [name for name in __import__("headshotly.policy.duties").policy.duties._DECLARED
         if not name.startswith(("continuity.", "proof."))]
run_due(names=tuple(quick))
told = {"failed": [row.name + ": " + row.sentence for row in DutyRecord.objects.filter(succeeded=False)],
        "done": DutyRecord.objects.filter(succeeded=True).count()}
""",
}
# What only the duties do and what reads everything: backup, a restore into a place of the drill's role, checks.
_DUTIES_AT_LENGTH = """
import psycopg
from headshotly.continuity import backing_up, services
from headshotly.audit.actor import SYSTEM
from headshotly.frontdoor.drill_place import DrillPlace
from headshotly.orders import card_scan
from headshotly.policy.refusal import Refusal
from headshotly.proof import registry, services as proof
from headshotly.proof.scene import Scene

def backup():
    try:
        return services.back_up(actor=SYSTEM).state
    except Refusal as refusal:
        return refusal.sentence

def check(name):
    found = proof.look_once(registry.load()[name], Scene(find_service=None))
    return [found.outcome.value, found.sentence]

told["backup"] = backup()
place = DrillPlace()
try:
    ran = place.run(["restore"], seconds=60)
    told["restore"] = [ran.code, ran.said]
    with psycopg.connect(place._environment["HEADSHOTLY_DATABASE_URL"]) as restored:
        one = lambda question: restored.execute(question).fetchone()[0]
        told["restored"] = [one("SELECT count(*) FROM studio_photo"), one("SELECT count(*) FROM pg_policies")]
finally:
    place.remove()
told["left"] = psycopg.connect(os.environ["OWNER"]).execute(
    "SELECT count(*) FROM pg_database WHERE datname LIKE 'drill%'").fetchone()[0]
told["checks"] = {name: check(name) for name in ("no_plaintext_in_stores", "roles_are_separate", "photos_have_basis",
                                                 "objects_are_sealed", "journal_verifies")}
told["values"] = card_scan.scan().values
with psycopg.connect(os.environ["OWNER"], autocommit=True) as owner:
    owner.execute("GRANT UPDATE ON audit_entry TO hs_web")
    told["granted_by_hand"] = check("roles_are_separate")
    owner.execute("REVOKE UPDATE ON audit_entry FROM hs_web; GRANT SELECT ON audit_entry TO hs_web")
    owner.execute("ALTER POLICY everybody_s ON studio_photo USING (score > 0.5)")
    told["backup_of_some_rows"] = backup()
    owner.execute("ALTER POLICY everybody_s ON studio_photo USING (true)")
"""

_CHECK = "from headshotly.frontdoor import database_roles\ntold['shortcomings'] = database_roles.shortcomings()"
# Whatever a program asks of AWS passes the gate, which reads the register and writes down: on this machine's own servers
# nothing shows that a role may not.
_GATE = """
from headshotly.vendors import categories, gate
from headshotly.vendors.errors import EgressRefused
told["gate"] = gate.require("witness.s3.eu-north-1.amazonaws.com", carries=(categories.SEALED_OBJECTS,), routine=True,
                            cannot_wait=True)
try:
    gate.require("tracker.example")
except EgressRefused as refused:
    told["refused"] = refused.sentence
"""


def play(scene: str, url: str, folder: Path, photo: Path, **more: str) -> dict:
    said = separate_python.run(
        url,
        folder,
        f"import os, json; told = {{}}\n{scene}\n{_CHECK}\nprint(json.dumps(told))",
        HEADSHOTLY_MAIL=str(folder / "mail"),
        HEADSHOTLY_OPTION_ORDERS__TRIAL_HEADSHOTS="1000",
        HEADSHOTLY_OPTION_DATABASE__ROW_SCOPE="yes",
        HEADSHOTLY_KEY_STORE="database",  # whoever opens something reads its key under its own role too
        PHOTO=str(photo),
        **more,
    )
    return json.loads(said.splitlines()[-1])


_OWNER = """
from django.core.management import call_command
from headshotly.frontdoor import database_roles
for alias in ("default", "journal", "keys"):
    call_command("migrate", database=alias, verbosity=0)
for alias in ("default", "keys"):
    for _ in range(2):
        told[alias] = database_roles.apply(prefix="hs_", alias=alias)
import datetime as dt
from headshotly.audit.actor import Actor
from headshotly.policy import clock, dates
from headshotly.vendors import questionnaire, register
from headshotly.vendors.known import known
one, other = Actor(kind="system", role="founder-1"), Actor(kind="system", role="founder-2")
proposed = register.propose(actor=one, slug="aws", **known()["aws"])
answers = {question.id: "yes" for question in questionnaire.questions()}
register.approve_assessment(actor=other, assessment_id=register.assess(actor=one, slug="aws", answers=answers).id)
for kind in ("agreement", "soc-2"):
    register.record_document(actor=one, slug="aws", kind=kind, title="A paper", sha256="0" * 64,
                             from_on=dt.date(2020, 1, 1), until_on=dates.today() + dt.timedelta(days=300))
register.approve(actor=other, vendor_id=proposed.id)
"""


@pytest.fixture(scope="module")
def place(scratch_postgres, tmp_path_factory, shared):  # noqa: F811
    """A migrated installation with its roles; gives the address for a role, its folder and a photo."""
    folder = tmp_path_factory.mktemp("roles")
    owner = scratch_postgres.create("whole")
    scratch_postgres.create("whole_keys")
    photo = shared / "photos" / "good" / "tf_grace_hopper.jpg"
    told = play(_OWNER, owner, folder, photo)
    assert told["shortcomings"], "the owner may do more than a program"
    return lambda role: scratch_postgres.url("whole", role=f"hs_{role}"), folder, photo


@pytest.fixture(scope="module")
def played(place):
    """What each program told of its work, one after the other."""
    url, folder, photo = place
    return {program: play(f"{scene}{_GATE}", url(program), folder, photo) for program, scene in _SCENES.items()}


@pytest.mark.clause("2.4.a", "5.1.a")
def test_the_web_program_sees_one_customer_s_rows_at_a_time(played):
    told = played["web"]
    assert told["upload0"] is told["upload1"] is True
    assert told["raw"] == [True]
    assert told["raw_of_another"] == told["sealed_of_another"] == told["changed_of_another"] == 0
    assert told["gives_away"] == "InsufficientPrivilege"
    assert told["nobody"] == told["nonsense"] == 0
    assert told["staff"] == 2


@pytest.mark.clause("2.4.a", "5.1.a")
def test_a_view_that_forgets_whose_photo_it_shows_shows_nobody_else_s(played):
    told = played["web"]
    assert told["own"] == 200
    assert told["another_s"] in {404, 500}
    assert told["home"] == told["gone"] == 200
    assert told["another_shoot"] == 404


@pytest.mark.clause("2.4.a")
def test_every_program_does_its_work_under_its_own_role(played):
    assert played["worker"]["states"] == ["done"]
    assert played["sequencer"]["entries"] > 20
    assert played["detector"]["taken"] > 20
    assert played["duties"]["failed"] == []
    assert played["duties"]["done"] > 10


@pytest.mark.clause("2.4.a", "1.2.d")
def test_the_sender_delivers_under_its_own_role_and_reaches_nothing_else(place, played):
    told = played["sender"]
    assert told["code"] == 0
    assert told["sent"] == [f"https://hooks.example.org/{word}" for word in ("busy", "fine", "gone")]
    assert told["states"] == ["('failed', 410)", "('queued', 503)", "('sent', 200)"]
    assert told["troubles"] == ["gone"]
    assert told["shortcomings"] == []
    elsewhere = ["studio_photo", "vault_storedobject", "accounts_customer", "orders_order", "access_grant", "audit_entry",
                 "integrations_accesstoken", "incidents_event", "frontdoor_dutyrecord", "django_session"]  # fmt: skip
    acts = [f"SELECT * FROM {table}" for table in elsewhere]
    acts += ["UPDATE integrations_webhookendpoint SET url = url", "UPDATE integrations_webhookendpoint SET subject = subject",
             "DELETE FROM integrations_webhookendpoint", "UPDATE integrations_webhookdelivery SET about = about",
             "INSERT INTO incidents_containment SELECT * FROM incidents_containment",
             "DELETE FROM vault_keyhold", "SELECT * FROM audit_pendingentry"]  # fmt: skip
    with psycopg.connect(place[0]("sender"), autocommit=True) as database:
        for act in acts:
            with pytest.raises(InsufficientPrivilege):
                database.execute(act)
    with psycopg.connect(place[0]("sender").replace("/whole", "/whole_keys"), autocommit=True) as keys:
        assert keys.execute("SELECT count(*) FROM vault_wrappedcustomerkey").fetchone() != (0,)
        for act in ("DELETE FROM vault_wrappedcustomerkey", "UPDATE vault_wrappedcustomerkey SET blob = ''"):
            with pytest.raises(InsufficientPrivilege):
                keys.execute(act)


@pytest.mark.clause("9.1.b")
@pytest.mark.parametrize("program", _SCENES)
def test_every_program_may_ask_the_gate_under_its_own_role(played, program):
    assert played[program]["gate"] == "aws"
    assert "on no register" in played[program]["refused"]


@pytest.mark.clause("2.4.a", "5.3.a")
@pytest.mark.parametrize("role", database_roles.PROGRAMS)
def test_no_program_changes_the_journal_or_makes_a_table(place, played, role):
    url = place[0]
    acts = [f"UPDATE audit_{table} SET id = id" for table in JOURNAL[:2]]
    acts += ["UPDATE audit_entry SET leaf = leaf", "UPDATE audit_signedhead SET note = note"]
    acts += [f"{verb} audit_{table}" for table in JOURNAL for verb in ("DELETE FROM", "TRUNCATE")]
    acts += [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE studio_photo DISABLE ROW LEVEL SECURITY",
        "DROP TABLE audit_entry",
    ]
    acts += ["SET ROLE headshotly", "CREATE POLICY more ON studio_photo USING (true)"]
    with psycopg.connect(url(role), autocommit=True) as database:
        for act in acts:
            with pytest.raises(InsufficientPrivilege):
                database.execute(act)
        if role == "detector":
            for table in ("studio_photo", "orders_order", "rights_erasureplan"):
                with pytest.raises(InsufficientPrivilege):
                    database.execute(f"SELECT * FROM {table}")
    assert played[role]["shortcomings"] == played["sequencer"]["shortcomings"] == []


@pytest.mark.clause("2.4.a", "6.1.a", "6.2.b")
def test_the_duties_back_up_restore_and_prove_under_their_own_role(place, played, scratch_postgres):  # noqa: F811
    url, folder, photo = place
    stores = ",".join(f"folder:{folder / name}@{name}" for name in ("eu-central-1", "eu-north-1"))
    told = play(
        _DUTIES_AT_LENGTH, url("duties"), folder, photo, OWNER=url("owner").replace("hs_owner", "headshotly"),
        HEADSHOTLY_OPTION_BACKUP__STORES=stores,
        HEADSHOTLY_OPTION_DRILL__DATABASE_URL=scratch_postgres.url("postgres", role="hs_drill"),
    )  # fmt: skip
    assert told["backup"] == "complete"
    assert told["restore"][0] == 0, told["restore"][1]
    assert told["restored"] == [2, 0], "every row, and no policy of a role that another server may not have"
    assert told["left"] == 0
    assert {name: outcome for name, (outcome, _) in told["checks"].items()} == dict.fromkeys(told["checks"], "held")
    assert told["values"] > 1000, "looking for card numbers reads every table of both databases"
    assert told["granted_by_hand"][0] == "broken"
    assert "hs_web: It may change audit_entry" in told["granted_by_hand"][1]
    assert "sees only some rows of studio_photo" in told["backup_of_some_rows"]
    assert told["shortcomings"] == []


@pytest.mark.clause("2.4.a")
def test_the_drill_s_role_makes_databases_and_reaches_none_of_the_living_ones(place, scratch_postgres):  # noqa: F811
    for name in ("whole", "whole_keys"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(scratch_postgres.url(name, role="hs_drill"))
    told = play(
        "from headshotly.frontdoor.drill_place import DrillPlace\nfrom headshotly.policy.refusal import Refusal\n"
        "try:\n    DrillPlace()\nexcept Refusal as refusal:\n    told['said'] = refusal.sentence",
        place[0]("duties"), place[1], place[2],
    )  # fmt: skip
    assert "may make no databases, and should not" in told["said"]


@pytest.mark.clause("2.4.a")
def test_in_production_no_program_starts_under_a_role_that_may_too_much(place):
    url = place[0]
    for role, starts in (("owner", False), ("web", True)):
        ran = subprocess.run(
            [sys.executable, "-m", "headshotly.frontdoor", "sequencer", "--once"],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")},
                "HEADSHOTLY_ENVIRONMENT": "production", "HEADSHOTLY_DATA": str(place[1] / "data"),
                "HEADSHOTLY_SECRET_KEY": "x" * 50, "HEADSHOTLY_MAIL": str(place[1] / "mail"),
                "HEADSHOTLY_DATABASE_URL": url(role).replace("hs_owner", "headshotly"),
            },
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert ("may do more than it should" in ran.stderr) is not starts, ran.stderr


@pytest.mark.clause("2.4.a")
def test_the_sequencer_reaches_the_journal_only(place):
    with psycopg.connect(place[0]("sequencer"), autocommit=True) as database:
        for table in ("studio_photo", "accounts_customer", "vault_storedobject", "access_grant"):
            with pytest.raises(InsufficientPrivilege):
                database.execute(f"SELECT * FROM {table}")


@pytest.mark.clause("2.4.a")
def test_customer_keys_are_for_those_who_open_and_shred(place):
    for role, allowed in (("web", True), ("worker", True), ("duties", True), ("detector", False), ("sequencer", False)):
        address = place[0](role).replace("/whole", "/whole_keys")
        if not allowed:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(address)
            continue
        with psycopg.connect(address, autocommit=True) as database:
            assert database.execute("SELECT count(*) FROM vault_wrappedcustomerkey").fetchone() is not None


@pytest.mark.parametrize("prefix", ["X", "a;", 'a"', "a" * 41, "1"])
def test_a_prefix_is_never_more_than_a_name(prefix):
    with pytest.raises(Refusal, match="cannot be the name of a role"):
        database_roles.statements(prefix=prefix)


@pytest.mark.django_db
def test_where_there_are_no_roles_that_is_said():
    from django.db import connection

    if connection.vendor == "postgresql":
        assert database_roles.shortcomings(), "the suite's own role owns its tables"
        return
    assert "does not use PostgreSQL" in database_roles.shortcomings()[0]
    with pytest.raises(Refusal, match="Only PostgreSQL"):
        database_roles.apply(prefix="", alias="default")


@pytest.mark.clause("2.4.a", "2.4.c")
def test_on_aws_each_connection_signs_in_with_a_password_of_its_own(monkeypatch, settings):
    from django.db import connections

    from headshotly.frontdoor.postgresql_iam.base import DatabaseWrapper

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    about = connections["default"].settings_dict | {
        "NAME": "headshotly", "USER": "web", "HOST": "db.example.eu", "PORT": "", "PASSWORD": "", "OPTIONS": {},
    }  # fmt: skip
    made = DatabaseWrapper(about, alias="made").get_connection_params()
    assert made["password"].startswith("db.example.eu:5432/?Action=connect&DBUser=web&")
    assert "X-Amz-Expires=900" in made["password"]
    assert "eu-central-1" in made["password"]
    here = settings.HEADSHOTLY
    settings.HEADSHOTLY = dataclasses.replace(here, options={**here.options, "database.region": "us-east-1"})
    with pytest.raises(ValueError, match="not a region in the European Union"):
        DatabaseWrapper(about, alias="made").get_connection_params()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("SIGN_IN", "aws", "it must be aws-iam"),
        ("CA_FILE", "/nowhere/ca.pem", "there is no such file"),
    ],
)
def test_a_wrong_option_of_the_database_is_told_at_once(option, value, said, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", "import headshotly.frontdoor.settings"],
        env={"PATH": os.environ["PATH"], f"HEADSHOTLY_OPTION_DATABASE__{option}": value, "HEADSHOTLY_DATA": str(tmp_path)},
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert said in ran.stderr
