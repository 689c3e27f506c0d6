"""The house itself: rooms, doors, names, and no test that hides."""

import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

from headshotly.frontdoor.settings import ROOMS

REPOSITORY = Path(__file__).resolve().parents[1]
LAYERS = [
    "policy", "audit", "purposes", "vendors", "vault", "accounts", "access", "studio", "integrations",
    "orders", "continuity",
    "lifecycle", "incidents", "rights", "proof", "frontdoor",
]  # fmt: skip


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return [REPOSITORY / line for line in listing.splitlines() if (REPOSITORY / line).is_file()]


def test_foreign_keys_point_downwards_and_name_no_way_back() -> None:
    seen = 0
    for model in apps.get_models():
        if model._meta.app_label not in ROOMS:
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey | ManyToManyField):
                continue
            seen += 1
            target = field.related_model._meta.app_label
            if target in LAYERS:
                assert LAYERS.index(target) <= LAYERS.index(model._meta.app_label), field
            assert field.remote_field.related_name == "+", field
    assert seen >= 3


@pytest.mark.parametrize("room", LAYERS)
def test_every_room_says_what_it_keeps(room: str) -> None:
    text = (REPOSITORY / "headshotly" / room / "README.md").read_text()
    assert len(text) > 80


def test_nothing_is_called_by_an_empty_name() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
    assert [path for path in tracked("*.py", "*.js", "*.css", "*.html") if path.stem in empty] == []


def test_no_test_hides() -> None:
    hidden = re.compile(r"pytest\.mark\.(skip|xfail)|unittest\.skip|assert True\b")
    found = [
        path.name for path in tracked("tests/*.py") if hidden.search(path.read_text()) and path.name != "test_house.py"
    ]
    assert found == []


def test_no_signals_and_no_logic_in_save() -> None:
    for path in tracked("headshotly/*.py"):
        text = path.read_text()
        assert "django.dispatch" not in text, path
        assert not re.search(r"def save\(self", text), path


@pytest.mark.clause("1.1.a")
def test_every_store_of_personal_data_names_its_activity() -> None:
    import importlib

    from headshotly.purposes.declarations import kept_places

    for room in LAYERS:
        if (REPOSITORY / "headshotly" / room / "activities.py").exists():
            importlib.import_module(f"headshotly.{room}.activities")
    places = kept_places()
    personal = re.compile(r"(_sealed|_index|^subject|password|^name|email|phone|address)$")
    exempt = {"StaffMember", "EnrolmentLink"}
    undeclared = []
    for model in apps.get_models():
        if model._meta.app_label not in {"accounts", "studio", "purposes"}:
            continue
        for field in model._meta.fields:
            place = f"{model._meta.app_label}.{model.__name__}.{field.name}"
            if personal.search(field.name) and place not in places and model.__name__ not in exempt:
                undeclared.append(place)
    assert undeclared == []


@pytest.mark.django_db(databases=["default", "journal", "keys"])
def test_migrations_are_complete() -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_test_photos_are_not_in_the_project(shared: Path) -> None:
    import hashlib

    theirs = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (shared / "photos").rglob("*") if path.is_file()
    }
    ours = {hashlib.sha256(path.read_bytes()).hexdigest() for path in tracked("*")}
    assert theirs & ours == set()
