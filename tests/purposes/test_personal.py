"""No store of personal data without a declared activity: found by looking at every table and every seal (1.1.a)."""

import importlib
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from headshotly.frontdoor.settings import ROOMS
from headshotly.purposes import declarations
from headshotly.purposes.personal import personal_fields, sealed_kinds, undeclared_fields, undeclared_kinds
from headshotly.vault.fields import SealedTextField

PACKAGE = Path(declarations.__file__).resolve().parents[1]
pytestmark = pytest.mark.clause("1.1.a")


@pytest.fixture(autouse=True)
def _declared():
    for room in ROOMS:
        if (PACKAGE / room / "activities.py").exists():
            importlib.import_module(f"headshotly.{room}.activities")


def tables():
    return [model for model in apps.get_models() if model._meta.app_label in ROOMS]


def test_every_personal_column_names_its_activity() -> None:
    assert len(tables()) > 30
    assert undeclared_fields(tables()) == []


def test_every_kind_of_sealed_object_names_its_activity() -> None:
    kinds = sealed_kinds(PACKAGE)
    assert {"photo", "headshot", "preview", "export"} <= kinds
    assert undeclared_kinds(kinds) == []


def test_what_is_declared_exists() -> None:
    known = {
        f"{model._meta.app_label}.{model.__name__}.{field.name}" for model in tables() for field in model._meta.fields
    }
    places = {place for place in declarations.kept_places() if not place.startswith("object:")}
    assert places - known == set()


class Guest(models.Model):
    subject = models.UUIDField()
    story = models.TextField()
    diet = SealedTextField()
    seats = models.IntegerField()

    class Meta:
        app_label = "purposes_test"
        managed = False


class Table(models.Model):
    size = models.IntegerField()
    words = models.TextField()
    phone_number = models.CharField(max_length=20)

    class Meta:
        app_label = "purposes_test"
        managed = False


def test_an_undeclared_table_is_noticed_by_its_form_alone() -> None:
    assert set(undeclared_fields([Guest])) == {
        "purposes_test.Guest.subject",
        "purposes_test.Guest.story",
        "purposes_test.Guest.diet",
    }
    assert "purposes_test.Table.phone_number" in set(personal_fields(Table))


def test_an_undeclared_kind_is_noticed_also_where_it_is_no_literal(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text('vault.seal(kind="diary", purpose="x")\nvault.seal_stream(kind=chosen())\n')
    kinds = sealed_kinds(tmp_path)
    assert kinds == {"diary", "? in new.py, line 2"}
    assert undeclared_kinds(kinds) == sorted(kinds)


def test_two_limits_of_one_name_are_refused(monkeypatch) -> None:
    limit = declarations.TimeLimit(id="hats", title="Hats", days=1)
    base = {
        "title": "Hats",
        "purpose": "Hats.",
        "people": ("guests",),
        "data": ("size",),
        "basis": declarations.LegalBasis.CONTRACT,
        "retention": "A day.",
        "limits": (limit,),
    }
    monkeypatch.setattr(declarations, "_ACTIVITIES", {})
    declarations.declare(declarations.Activity(id="hats-one", **base))
    assert declarations.limits() == {"hats": limit}
    declarations.declare(declarations.Activity(id="hats-two", **base))
    with pytest.raises(ValueError, match="two time limits"):
        declarations.limits()
