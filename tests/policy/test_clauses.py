"""Every sentence of the published text is claimed exactly once."""

import re
from collections import Counter
from pathlib import Path

import pytest

from headshotly.policy import clauses

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_sentence_is_claimed_exactly_once() -> None:
    published = [sentence for section in clauses.sections() for sentence in section.sentences]
    claimed = Counter(clause.sentence for clause in clauses.clauses().values())
    assert len(published) >= 55
    assert Counter(published) == claimed
    assert max(claimed.values()) == 1


def test_the_text_has_the_twelve_sections() -> None:
    top = [section.heading.split(".")[0] for section in clauses.sections() if section.level == 2]
    assert top == [str(number) for number in range(1, 13)]


def test_a_clause_stands_in_the_section_its_number_names() -> None:
    for section in clauses.sections():
        for sentence in section.sentences:
            number = section.heading.split(" ")[0].rstrip(".")
            assert clauses.clause_of_sentence(sentence).id.startswith(number), sentence


def test_an_unknown_clause_is_named_with_its_neighbours() -> None:
    with pytest.raises(clauses.UnknownClause, match=r"no clause 3\.9.*3\.2\.a"):
        clauses.clause("3.9")


def test_an_unclaimed_sentence_is_found() -> None:
    with pytest.raises(clauses.UnknownClause, match="No clause claims"):
        clauses.clause_of_sentence("We promise the moon.")


def test_every_mark_names_a_clause_that_exists() -> None:
    marks = re.compile(r"(?:@enforces|mark\.clause)\(([^)]*)\)")
    strangers = []
    for folder in (REPOSITORY / "headshotly", REPOSITORY / "tests"):
        for path in folder.rglob("*.py"):
            named = {one for ids in marks.findall(path.read_text()) for one in re.findall(r'"([^"]*)"', ids)}
            strangers += [f"{path.name}: {one}" for one in sorted(named - set(clauses.clauses()))]
    assert strangers == []


# Id → kind, as the design's table of promises has them: E enforced, P process, I inherited.
KINDS = {
    "1.1.a": "P", "1.1.b": "P", "1.1.c": "P", "1.1.d": "E", "1.1.e": "P", "1.2.a-b": "E", "1.2.c": "E", "1.2.d": "E",
    "1.2.e": "E", "1.3.a": "P", "1.3.b": "P", "2.1.a": "E", "2.1.b": "I", "2.2": "E", "2.3.a": "E", "2.3.b": "E",
    "2.4.a": "E", "2.4.b": "E", "2.4.c": "E", "3.1.a": "E", "3.1.b": "E", "3.2.a": "E", "3.2.b": "E", "4.1.a": "P",
    "4.1.b": "P", "4.2.a": "P", "4.2.b": "E", "4.3.a": "P", "4.3.b": "P", "5.1.a": "E", "5.1.b": "P", "5.2": "P",
    "5.3.a": "E", "5.3.b": "P", "6.1.a": "E", "6.1.b": "E", "6.2.a": "P", "6.2.b": "E", "7.1.a": "E", "7.1.b": "E",
    "8.1.a-b": "P", "8.2.a": "E", "8.2.b": "E", "8.3.a": "P", "8.3.b": "P", "8.3.c": "P", "9.1.a": "P", "9.1.b": "E",
    "9.1.c": "P", "9.2": "P", "10.1": "E", "10.2": "E", "10.3": "E", "11.a-c": "E", "12": "E",
}  # fmt: skip


def test_the_register_has_exactly_the_promises_of_the_design() -> None:
    assert len(KINDS) == 55
    assert {one.id: one.kind.value[0].upper() for one in clauses.clauses().values()} == KINDS
    assert list(clauses.clauses()) == list(KINDS)
