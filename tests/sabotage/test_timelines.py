"""What is written into cases, rewritten: clause 8.1.a-b."""

import pytest

from headshotly.incidents import cases
from headshotly.incidents.models import TimelineEntry
from tests.incidents.casework import OFFICER, sequenced, taken

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.sabotage("case_timelines_whole", "what was written into a case is changed")
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_rewritten_case(watch, db_all, how) -> None:
    case = taken()
    cases.note(actor=OFFICER, number=case.number, words="The intruder came at nine.")
    sequenced()
    watch.is_content()
    notes = TimelineEntry.objects.filter(kind="note")
    if how == "changed":
        notes.update(words="Nobody came.")
    else:
        notes.delete()
    watch.is_broken(case.reference)
