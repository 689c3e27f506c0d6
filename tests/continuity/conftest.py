"""A small living system, and empty places to restore it into, each with a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.db import connections

from headshotly.audit.sequencing import sequence_once
from headshotly.continuity import places
from headshotly.policy import configuration
from headshotly.vault import services as vault
from headshotly.vault import wrapped_keys

DATABASES = ["default", "journal", "keys"]
EAST, NORTH = "eu-central-1", "eu-north-1"


@pytest.fixture(autouse=True)
def backups(_clean_folder, settings, tmp_path_factory) -> Path:
    """Two empty stores, in the folders that are the default."""
    folder = settings.HEADSHOTLY.data_folder.parent / "backups"
    shutil.rmtree(folder, ignore_errors=True)
    places.rewire()
    wrapped_keys.flush()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    places.rewire()


@pytest.fixture
def repositories(backups) -> dict[str, Path]:
    """The folder that each region's repository lies in."""
    return {EAST: backups / "frankfurt" / "repository", NORTH: backups / "stockholm" / "repository"}


class Living:
    """Customers with sealed objects, and a sequenced journal."""

    def __init__(self, make_person) -> None:
        self._make_person = make_person
        self.people = {}
        self.objects = {}

    def add(self, name: str, *contents: bytes):
        person = self.people.get(name) or self._make_person(f"{name}@example.org")
        self.people[name] = person
        for content in contents:
            sealed = vault.seal(
                actor=person.actor, subject=person.id, kind="canary", purpose="headshot-generation", plaintext=content
            )
            self.objects[sealed] = (person, content)
        self.sequence()
        return person

    @staticmethod
    def sequence() -> None:
        while sequence_once():
            pass


@pytest.fixture
def living(make_person) -> Living:
    made = Living(make_person)
    made.add("ada", b"first canary " * 50, b"second canary" * 500)
    made.add("bert", b"bert's canary" * 5000)
    return made


class Place:
    """An empty place on a machine of its own, that knows the key service and the backup stores."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        here = configuration.current()
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")},
            "HEADSHOTLY_ENVIRONMENT": "test",
            "HEADSHOTLY_DATA": str(folder / "data"),
            "HEADSHOTLY_MAIL": str(folder / "mail"),
            "HEADSHOTLY_OPTION_KMS__FOLDER": str(here.data_folder),
            "HEADSHOTLY_OPTION_BACKUP__STORES": ",".join(
                f"folder:{store.where}@{store.region}" for store in places.stores()
            ),
        }
        if database_url:
            self.environment["HEADSHOTLY_DATABASE_URL"] = database_url

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "headshotly.frontdoor", *arguments],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def restore(self, *arguments: str) -> dict:
        """Restore, and return the report."""
        report = self.folder / f"report-{uuid.uuid4().hex}.json"
        done = self.run("restore", "--report", str(report), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(report.read_text())

    def python(self, code: str):
        """Run a few lines in the place, and return what they put into ``answer``."""
        lines = f"import json, django\ndjango.setup()\n{code}\nprint('ANSWER' + json.dumps(answer))"
        done = subprocess.run(
            [sys.executable, "-c", lines],
            env={**self.environment, "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.rpartition("ANSWER")[2])

    def opens(self, living: "Living") -> dict:
        """Open every object in the place as its owner would; return id → its plaintext, or the refusal's code."""
        wanted = [(str(person.id), str(object_id)) for object_id, (person, _) in living.objects.items()]
        opened = self.python(
            "from uuid import UUID\nfrom headshotly.access.warrants import owner_warrant\n"
            "from headshotly.policy.refusal import Refusal\nfrom headshotly.vault import services\n"
            "answer = {}\n"
            f"for subject, object_id in {wanted!r}:\n"
            "    warrant = owner_warrant(customer_id=UUID(subject), session_key='s', purpose='view')\n"
            "    try:\n"
            "        answer[object_id] = services.open(object_id=UUID(object_id), warrant=warrant).decode()\n"
            "    except Refusal as refusal:\n        answer[object_id] = refusal.code\n"
        )
        return {uuid.UUID(object_id): content for object_id, content in opened.items()}


@pytest.fixture
def make_place(tmp_path):
    """Make empty places; on PostgreSQL each with databases of its own, dropped afterwards."""
    made = []

    def make() -> Place:
        folder = tmp_path / f"place-{len(made)}"
        folder.mkdir()
        made.append("")
        if connections["default"].vendor != "postgresql":
            return Place(folder)
        about = connections["default"].settings_dict
        name = f"place_{uuid.uuid4().hex[:12]}"
        made[-1] = name
        with connections["default"].cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute(f"CREATE DATABASE {name}_keys")
        return Place(folder, f"postgresql://{about['USER']}@{about['HOST']}:{about['PORT']}/{name}")

    yield make
    for name in filter(None, made):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"DROP DATABASE IF EXISTS {name}_keys WITH (FORCE)")


@pytest.fixture
def place(make_place) -> Place:
    return make_place()
