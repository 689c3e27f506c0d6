"""Letters about a breach: to the people in it (GDPR Art. 34(2)) and to residents of California (Civ. Code 1798.82(d)).

Where somebody lives and which language they read is not known of everybody, so a letter to people holds both languages.
The Californian one has the title and the five headings of the statute, word for word, in ten-point type or larger.
"""

from dataclasses import dataclass
from typing import cast

from headshotly.incidents import consequences, data_kinds
from headshotly.incidents.consequences import Both
from headshotly.incidents.notice_facts import NoticeFacts
from headshotly.policy.documents import Block, Bullets, Document, Part, Text
from headshotly.policy.enforcement import enforces
from headshotly.purposes.notices import AUTHORITY

VERSION_PEOPLE = "art34-1"
VERSION_CALIFORNIA = "1798.82-1"
CALIFORNIA_TITLE = "Notice of Data Breach"
CALIFORNIA_HEADINGS = (
    "What Happened",
    "What Information Was Involved",
    "What We Are Doing",
    "What You Can Do",
    "For More Information",
)
CALIFORNIA_POINTS = 11.0  # the statute wants ten or more


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and the paragraphs under it; more than one after the first are points."""

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in one language."""

    title: str
    headings: tuple[Heading, ...]

    def as_content(self) -> dict[str, object]:
        """Return it as plain JSON, to be kept."""
        return {"title": self.title, "headings": [[one.title, list(one.paragraphs)] for one in self.headings]}


_TITLE = Both("About the security of your data", "Informacja o naruszeniu ochrony Państwa danych")
_HAPPENED = Both("What happened", "Co się stało")
_INVOLVED = Both("Which of your data it concerns", "Jakich danych to dotyczy")
_CONSEQUENCES = Both("What it may mean for you", "Jakie mogą być skutki")
_DOING = Both("What we have done and will do", "Co zrobiliśmy i co zrobimy")
_ADVICE = Both("What you can do", "Co mogą Państwo zrobić")
_CONTACT = Both("Whom you can ask", "Z kim można się skontaktować")


def _when(facts: NoticeFacts, language: str) -> str:
    """Return when it happened, as far as known."""
    if facts.began_at is None:
        return Both("When it began is not established yet.", "Nie ustalono jeszcze, kiedy się zaczęło.").in_(language)
    began, ended = facts.local(facts.began_at), facts.local(facts.ended_at)
    if ended:
        return Both("It lasted from {0} to {1}.", "Trwało od {0} do {1}.").in_(language).format(began, ended)
    return Both("It began on {0}.", "Rozpoczęło się {0}.").in_(language).format(began)


def _involved(facts: NoticeFacts, language: str) -> tuple[str, ...]:
    kinds = data_kinds.in_words(set(facts.kinds), language)
    lead = Both("These kinds of data were touched:", "Naruszenie dotyczyło następujących danych:").in_(language)
    never = Both(
        "Card numbers are not kept with us and were not touched.",
        "Nie przechowujemy numerów kart i nie zostały one naruszone.",
    ).in_(language)
    return (f"{lead} {', '.join(kinds)}.", never)


@enforces("8.3.b")
def to_people(facts: NoticeFacts, language: str) -> Letter:
    """Return the letter of Art. 34(2): nature, contact, likely consequences, measures, in clear and plain words.

    Args:
        facts: the breach.
        language: ``en`` or ``pl``.
    """
    operator = facts.operator
    contact = (
        Both(
            "Our Data Protection Officer: {0}, {1}, {2}.",
            "Nasz Inspektor ochrony danych: {0}, {1}, {2}.",
        )
        .in_(language)
        .format(facts.officer, operator.privacy_email, operator.postal_address)
    )
    opened = Both(
        "In your account, under “Who opened my photos”, you see what the journal knows of every opening of your data.",
        "Na koncie, w zakładce „Who opened my photos”, widać wszystko, co dziennik wie o otwarciu Państwa danych.",
    ).in_(language)
    complain = Both("You may complain to {0}.", "Mogą Państwo złożyć skargę do: {0}.").in_(language).format(AUTHORITY)
    own = facts.part("advice", language)
    return Letter(
        _TITLE.in_(language),
        (
            Heading(_HAPPENED.in_(language), (facts.part("nature", language), _when(facts, language))),
            Heading(_INVOLVED.in_(language), _involved(facts, language)),
            Heading(_CONSEQUENCES.in_(language), tuple(consequences.in_words(list(facts.consequences), language))),
            Heading(_DOING.in_(language), (facts.part("taken", language), facts.part("proposed", language))),
            Heading(
                _ADVICE.in_(language),
                (*consequences.advice(set(facts.kinds), language), *((own,) if own else ())),
            ),
            Heading(_CONTACT.in_(language), (contact, opened, complain)),
        ),
    )


@enforces("8.3.c")
def to_residents(facts: NoticeFacts) -> Letter:
    """Return the notice of Civ. Code 1798.82(d), with its title and its five headings."""
    operator = facts.operator
    delayed = (
        "This notice was delayed because a law-enforcement agency asked for it."
        if facts.delayed
        else "This notice was not delayed by law enforcement."
    )
    happened = (facts.part("nature", "en"), _when(facts, "en"), delayed, f"Date of this notice: {facts.today}.")
    own = facts.part("advice", "en")
    bodies = (
        happened,
        _involved(facts, "en"),
        (facts.part("taken", "en"), facts.part("proposed", "en")),
        (*consequences.advice(set(facts.kinds), "en"), *((own,) if own else ())),
        (
            f"{operator.name}, {operator.postal_address}.",
            f"Write to {operator.privacy_email}, or see {operator.website}. Reference: {facts.reference}.",
        ),
    )
    headings = tuple(Heading(title, body) for title, body in zip(CALIFORNIA_HEADINGS, bodies, strict=True))
    return Letter(CALIFORNIA_TITLE, headings)


@enforces("8.3.b", "8.3.c")
def missing(letter: Letter) -> list[str]:
    """Return the headings under which something is still missing."""
    return [
        one.title for one in letter.headings if not one.paragraphs or not all(text.strip() for text in one.paragraphs)
    ]


def read(content: dict[str, object]) -> Letter:
    """Return a letter as ``as_content`` kept it."""
    headings = cast("list[tuple[str, list[str]]]", content["headings"])
    return Letter(str(content["title"]), tuple(Heading(title, tuple(texts)) for title, texts in headings))


def as_text(letter: Letter) -> str:
    """Return a letter for a mail."""
    parts = [letter.title]
    for one in letter.headings:
        lines = [f"- {text}" for text in one.paragraphs] if len(one.paragraphs) > 1 else list(one.paragraphs)
        parts.append("\n".join([one.title.upper(), *lines]))
    return "\n\n".join(parts)


def document(letter: Letter, *, language: str, lead: tuple[str, ...], points: float = 10.5) -> Document:
    """Return a letter as pages.

    Args:
        letter: what it says.
        language: ``en`` or ``pl``.
        lead: lines under the title.
        points: size of the running text.
    """
    parts = []
    for one in letter.headings:
        block: Block = Bullets(one.paragraphs) if len(one.paragraphs) > 1 else Text("".join(one.paragraphs))
        parts.append(Part(one.title, (block,)))
    page = Both("Page", "Strona")
    return Document(
        title=letter.title,
        parts=tuple(parts),
        lead=lead,
        language=language,
        page_word=page.in_(language),
        type_points=points,
    )
