"""The threat model: every room answers for every kind, and every clause and test it names exists (1.1.e, 1.3.a)."""

import os
import re
from pathlib import Path

import pytest

from headshotly.frontdoor.settings import ROOMS
from headshotly.policy.clauses import ClauseKind, clauses
from headshotly.proof import threats
from headshotly.proof.threats import STRIDE, model
from tests.accounts.conftest import browser

pytestmark = [pytest.mark.clause("1.1.e", "1.3.a")]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
EVERY = [one for room in model() for one in room.threats]


def test_every_room_answers_for_every_kind() -> None:
    assert {room.name for room in model()} == set(ROOMS)
    assert {room.name: room.answered for room in model()} == {name: "".join(sorted(STRIDE)) for name in ROOMS}
    for room in model():
        named = "".join(one.kinds for one in room.threats)
        assert not set(room.quiet) & set(named), f"{room.name} is quiet about a kind it has a threat of"
        assert all(len(why) > 10 for why in room.quiet.values())


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.id)
def test_every_threat_names_its_clauses_and_tests(one) -> None:
    assert set(one.kinds) <= set(STRIDE)
    assert one.clauses
    assert set(one.clauses) <= set(clauses())
    assert bool(one.tests) != bool(one.open), "shown by a test, or open and said so"
    for test in one.tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), test


def test_ids_are_unique_and_the_model_is_more_than_a_handful() -> None:
    assert len({one.id for one in EVERY}) == len(EVERY) > 45


def test_no_room_leaves_a_threat_open() -> None:
    assert [one.id for one in EVERY if one.open] == []


def test_the_promises_about_access_and_secrets_are_all_under_some_threat() -> None:
    named = {clause_id for one in EVERY for clause_id in one.clauses}
    sections = ("2.4", "3.", "5.", "10.")
    wanted = {one.id for one in clauses().values() if one.kind is ClauseKind.ENFORCED and one.id.startswith(sections)}
    assert wanted <= named


def test_the_page_in_the_documents_says_the_same() -> None:
    """Regenerate with ``HEADSHOTLY_WRITE_TABLES=1``."""
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        PAGE.write_text(threats.as_markdown(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == threats.as_markdown()


@pytest.mark.django_db(databases="__all__")
def test_anybody_reads_it() -> None:
    text = browser().get("/trust/threat-model/").content.decode()
    for one in EVERY:
        assert f'id="{one.id}"' in text
