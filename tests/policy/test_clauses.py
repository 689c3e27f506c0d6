"""Every sentence of the published text is claimed exactly once."""

from collections import Counter

import pytest

from headshotly.policy import clauses


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
