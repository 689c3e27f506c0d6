"""Every store of personal data serves a declared activity (clause 1.1.a)."""

from pathlib import Path

from django.apps import apps

import headshotly
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.purposes import personal, record
from headshotly.purposes.declarations import activities
from headshotly.vault import selectors as vault

_PACKAGE = Path(headshotly.__file__).resolve().parent


@check(
    id="personal_data_declared",
    clauses=("1.1.a",),
    title="No undeclared personal data",
    words="We go through every table and every kind of sealed file, find what is about people by its form, and look "
    "whether a declared processing activity covers it. The record of processing is made from the same declarations.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Compare what is there with what is declared."""
    tables = [model for model in apps.get_models() if model.__module__.startswith("headshotly.")]
    kinds = personal.sealed_kinds(_PACKAGE) | vault.kinds_kept()
    bad = [*personal.undeclared_fields(tables), *(f"object:{kind}" for kind in personal.undeclared_kinds(kinds))]
    places = sum(len(list(personal.personal_fields(model))) for model in tables) + len(kinds)
    if bad:
        return broken(f"No activity declares {shorten(bad)}.", ids=bad, population=places)
    lines = record.rows(activities())
    return held(
        f"All {places} places that hold personal data belong to one of {len(lines)} activities on record.",
        population=places if lines else 0,
    )
