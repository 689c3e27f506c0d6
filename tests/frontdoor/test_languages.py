"""English and Polish on the whole customer's side: every word, dates, numbers, mails, and the switch."""

import gettext as standard
import os
import re

import pytest

from tests.frontdoor import catalogue

_PLACES = re.compile(r"%\(\w+\)s|#|\{\w+\}")


@pytest.fixture(scope="module", autouse=True)
def _written():
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        catalogue.write()


def test_every_word_of_the_customers_side_has_its_polish():
    kept, missing = catalogue.kept(), []
    for singular, context in catalogue.wanted():
        found = kept.get(singular, context)
        said = found.string if found else ""
        if not said or (isinstance(said, tuple) and not all(said)) or (found and found.fuzzy):
            missing.append(singular)
    assert not missing, f"{len(missing)} without Polish; see tests/frontdoor/catalogue.py: {missing[:10]}"


def test_the_catalogue_holds_nothing_that_nobody_says():
    wanted = set(catalogue.wanted())
    assert [
        entry.id for entry in catalogue.kept() if entry.id and (_single(entry.id), entry.context) not in wanted
    ] == []


def _single(message):
    return message[0] if isinstance(message, tuple | list) else message


def test_translations_keep_every_place_for_facts():
    broken = []
    for entry in catalogue.kept():
        if not entry.id:
            continue
        places = sorted(_PLACES.findall(entry.id[-1] if isinstance(entry.id, tuple | list) else entry.id))
        forms = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        broken += [form for form in forms if sorted(_PLACES.findall(form)) != places]
    assert broken == []


def test_what_runs_is_what_is_written():
    with catalogue.MO.open("rb") as file:
        running = standard.GNUTranslations(file)
    for entry in catalogue.kept():
        if entry.id and isinstance(entry.id, str):
            said = running.pgettext(entry.context, entry.id) if entry.context else running.gettext(entry.id)
            assert said == entry.string
