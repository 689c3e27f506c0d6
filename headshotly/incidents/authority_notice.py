"""The notice to the supervisory authority (GDPR Art. 33(3)) in the fields of UODO's form, in versions.

A notice is kept with the version it was made in and draws itself by that version for ever. The authority takes it
through biznes.gov.pl, ePUAP or by post; a person sends it there and records the receipt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headshotly.incidents import consequences, data_kinds
from headshotly.incidents.consequences import Both
from headshotly.incidents.notice_facts import NoticeFacts
from headshotly.policy.documents import Document, Part, Text
from headshotly.policy.enforcement import enforces

VERSION = (
    "uodo-1"  # our rendering of the form's fields, last compared with biznes.gov.pl's description in November 2026
)
_EVERY = frozenset({"complete", "initial", "supplementary"})
_FULL = frozenset({"complete", "supplementary"})
type Value = Callable[[NoticeFacts, str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the form.

    Attributes:
        id: stable name.
        label: what it is called.
        required: in which phases it must not be empty.
        value: from facts, phase and language.
        rule: where it comes from.
    """

    id: str
    label: Both
    required: frozenset[str]
    value: Value
    rule: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form."""

    heading: Both
    fields: tuple[Field, ...]


_PHASES = {
    "complete": Both("complete", "kompletne (jednorazowe)"),
    "initial": Both("initial; the rest will follow", "wstępne; pozostałe informacje zostaną uzupełnione"),
    "supplementary": Both("supplementary", "uzupełniające / zmieniające"),
}
_CAUSES = {
    "attack": Both("external, deliberate act", "zewnętrzne działanie zamierzone"),
    "insider": Both("internal, deliberate act", "wewnętrzne działanie zamierzone"),
    "mistake": Both("internal, unintentional act", "wewnętrzne działanie niezamierzone"),
    "fault": Both("technical fault", "awaria techniczna"),
    "loss": Both("loss or theft of a device or document", "zgubienie lub kradzież nośnika albo dokumentu"),
    "vendor": Both("incident at a processor", "zdarzenie u podmiotu przetwarzającego"),
}
_SPREAD = {
    "none": Both("not affected", "nie dotyczy"),
    "known": Both("affected; recipients known", "naruszona; odbiorcy znani"),
    "unknown": Both("affected; recipients unknown", "naruszona; odbiorcy nieznani"),
}
_HARM = {
    "none": Both("not affected", "nie dotyczy"),
    "recoverable": Both("affected, restored", "naruszona, przywrócona"),
    "lasting": Both("affected, not to be restored", "naruszona, bez możliwości przywrócenia"),
}
_KEYS = {
    "safe": Both("Encryption keys: not compromised.", "Klucze szyfrujące: nienaruszone."),
    "touched": Both("Encryption keys: compromised.", "Klucze szyfrujące: naruszone."),
    "unknown": Both(
        "Encryption keys: not known; treated as compromised.",
        "Klucze szyfrujące: nie ustalono; traktowane jak naruszone.",
    ),
}
_UNKNOWN = Both("not established yet", "jeszcze nie ustalono")
_NONE = Both("none", "brak")


def _earlier(facts: NoticeFacts, _phase: str, language: str) -> str:
    if not facts.earlier:
        return _NONE.in_(language)
    return "; ".join(f"{one.number}: {facts.local(one.sent_at)}, {one.receipt or '-'}" for one in facts.earlier)


def _late(facts: NoticeFacts, _phase: str, language: str) -> str:
    if facts.earlier or not facts.late:
        return _NONE.in_(language) if not facts.late_because else facts.late_because
    return facts.late_because


def _count(number: int, language: str) -> str:
    about = Both("about", "około").in_(language)
    return f"{about} {number}"


def _told(facts: NoticeFacts, _phase: str, language: str) -> str:
    if facts.people_told_at is not None:
        words = Both("told by e-mail on {0}, {1} people", "zawiadomiono pocztą elektroniczną {0}, liczba osób: {1}")
        return words.in_(language).format(facts.local(facts.people_told_at), facts.people_told)
    if facts.people_why_not:
        return Both("not told: {0}", "nie zawiadomiono: {0}").in_(language).format(facts.people_why_not)
    return Both("not told yet; under assessment", "jeszcze nie zawiadomiono; trwa ocena").in_(language)


def _keys(facts: NoticeFacts, _phase: str, language: str) -> str:
    return f"{_KEYS[facts.keys].in_(language)} {facts.keys_because}".strip()


def _risk(facts: NoticeFacts, _phase: str, language: str) -> str:
    words = {
        None: _UNKNOWN,
        "unlikely": Both("unlikely", "mało prawdopodobne"),
        "risk": Both("a risk, not high", "występuje, nie jest wysokie"),
        "high": Both("high", "wysokie"),
    }
    return words[facts.risk.value if facts.risk else None].in_(language)


def _part(name: str) -> Value:
    return lambda facts, _phase, language: facts.part(name, language)


def _list(values: Callable[[NoticeFacts, str], list[str]]) -> Value:
    return lambda facts, _phase, language: "; ".join(values(facts, language))


_SECTIONS: tuple[Section, ...] = (
    Section(
        Both("Kind of notice", "Rodzaj zgłoszenia"),
        (
            Field(id="phase", label=Both("Kind", "Typ zgłoszenia"), required=_EVERY, rule="Art. 33(4)",
                  value=lambda _facts, phase, language: _PHASES[phase].in_(language)),
            Field(id="earlier", label=Both("Earlier notices", "Wcześniejsze zgłoszenia"), required=_EVERY,
                  rule="Art. 33(4)", value=_earlier),
            Field(id="reference", label=Both("Our reference", "Nasz znak sprawy"), required=_EVERY, rule="form",
                  value=lambda facts, _phase, _language: facts.reference),
        ),
    ),
    Section(
        Both("Controller and contact", "Administrator i kontakt"),
        (
            Field(id="controller", label=Both("Controller", "Administrator danych"), required=_EVERY, rule="form",
                  value=lambda facts, _p, _l: f"{facts.operator.name}, {facts.operator.postal_address}"),
            Field(id="officer", label=Both("Data Protection Officer", "Inspektor ochrony danych"), required=_EVERY,
                  rule="Art. 33(3)(b)",
                  value=lambda facts, _p, _l: f"{facts.officer}, {facts.operator.privacy_email}"),
        ),
    ),
    Section(
        Both("Time of the breach", "Czas naruszenia"),
        (
            Field(id="aware", label=Both("Aware since", "Data i godzina stwierdzenia naruszenia"), required=_EVERY,
                  rule="Art. 33(1)", value=lambda facts, _p, _l: facts.local(facts.aware_at)),
            Field(id="found", label=Both("How it was found", "Sposób stwierdzenia naruszenia"), required=_EVERY,
                  rule="form", value=_part("found")),
            Field(id="began", label=Both("Began", "Data i godzina rozpoczęcia naruszenia"), required=_EVERY,
                  rule="form", value=lambda facts, _p, language: facts.local(facts.began_at) or _UNKNOWN.in_(language)),
            Field(id="ended", label=Both("Ended", "Data i godzina zakończenia naruszenia"), required=_EVERY,
                  rule="form", value=lambda facts, _p, language: facts.local(facts.ended_at) or _UNKNOWN.in_(language)),
            Field(id="late", label=Both("Reasons for the delay", "Powody opóźnienia zgłoszenia"), required=_EVERY,
                  rule="Art. 33(1)", value=_late),
        ),
    ),
    Section(
        Both("Nature of the breach", "Charakter naruszenia"),
        (
            Field(id="nature", label=Both("What happened", "Opis naruszenia"), required=_EVERY, rule="Art. 33(3)(a)",
                  value=_part("nature")),
            Field(id="cause", label=Both("Cause", "Przyczyna naruszenia"), required=_EVERY, rule="form",
                  value=lambda facts, _p, language: _CAUSES[facts.cause].in_(language)),
            Field(id="confidentiality", label=Both("Confidentiality", "Poufność danych"), required=_EVERY, rule="form",
                  value=lambda facts, _p, language: _SPREAD[facts.confidentiality].in_(language)),
            Field(id="integrity", label=Both("Integrity", "Integralność danych"), required=_EVERY, rule="form",
                  value=lambda facts, _p, language: _HARM[facts.integrity].in_(language)),
            Field(id="availability", label=Both("Availability", "Dostępność danych"), required=_EVERY, rule="form",
                  value=lambda facts, _p, language: _HARM[facts.availability].in_(language)),
            Field(id="keys", label=Both("Encryption", "Szyfrowanie"), required=_FULL, rule="Art. 34(3)(a)",
                  value=_keys),
        ),
    ),
    Section(
        Both("People and data", "Osoby i dane"),
        (
            Field(id="categories", label=Both("Categories of people", "Kategorie osób"), required=_EVERY,
                  rule="Art. 33(3)(a)",
                  value=lambda facts, _p, language: (
                      Both("customers and staff", "klienci i pracownicy")
                      if "staff" in facts.kinds else Both("customers", "klienci usługi")
                  ).in_(language)),
            Field(id="people", label=Both("Number of people", "Liczba osób"), required=_EVERY, rule="Art. 33(3)(a)",
                  value=lambda facts, _p, language: _count(facts.people, language)),
            Field(id="kinds", label=Both("Categories of data", "Kategorie danych osobowych"), required=_FULL,
                  rule="Art. 33(3)(a)",
                  value=_list(lambda facts, language: data_kinds.in_words(set(facts.kinds), language))),
            Field(id="records", label=Both("Number of records", "Liczba wpisów"), required=_EVERY, rule="Art. 33(3)(a)",
                  value=lambda facts, _p, language: _count(facts.records, language)),
        ),
    ),
    Section(
        Both("Safeguards, consequences, measures", "Zabezpieczenia, skutki, środki"),
        (
            Field(id="safeguards", label=Both("Safeguards before", "Środki bezpieczeństwa przed naruszeniem"),
                  required=_FULL, rule="form", value=_part("safeguards")),
            Field(id="consequences", label=Both("Likely consequences", "Możliwe konsekwencje"), required=_FULL,
                  rule="Art. 33(3)(c)",
                  value=_list(lambda facts, language: consequences.in_words(list(facts.consequences), language))),
            Field(id="risk", label=Both("Risk to people", "Ryzyko naruszenia praw lub wolności"), required=_FULL,
                  rule="form", value=_risk),
            Field(id="taken", label=Both("Measures taken", "Środki zastosowane"), required=_FULL, rule="Art. 33(3)(d)",
                  value=_part("taken")),
            Field(id="proposed", label=Both("Measures proposed", "Środki proponowane"), required=_FULL,
                  rule="Art. 33(3)(d)", value=_part("proposed")),
        ),
    ),
    Section(
        Both("Communication and other states", "Zawiadomienie osób i inne państwa"),
        (
            Field(id="told", label=Both("People told (Art. 34)", "Zawiadomienie osób (art. 34)"), required=_FULL,
                  rule="Art. 34", value=_told),
            Field(id="states", label=Both("Other states of the Union", "Inne państwa członkowskie"), required=_EVERY,
                  rule="Art. 33(1), 56",
                  value=lambda facts, _p, language: ", ".join(facts.states) or _NONE.in_(language)),
        ),
    ),
)  # fmt: skip
FORMS: dict[str, tuple[Section, ...]] = {VERSION: _SECTIONS}


def fields(form: str = VERSION) -> list[Field]:
    """Return every field of a version of the form, in its order."""
    return [one for section in FORMS[form] for one in section.fields]


@enforces("8.3.a")
def content(facts: NoticeFacts, *, phase: str) -> dict[str, dict[str, str]]:
    """Return what the notice says, by field and language.

    Args:
        facts: the breach.
        phase: ``complete``, ``initial`` or ``supplementary``.
    """
    return {
        one.id: {language: one.value(facts, phase, language) for language in consequences.LANGUAGES} for one in fields()
    }


@enforces("8.3.a")
def missing(said: dict[str, dict[str, str]], *, phase: str, form: str = VERSION) -> list[str]:
    """Return the labels of fields that must not be empty in a phase and are, each with its language."""
    return [
        f"{one.label.en} ({language})"
        for one in fields(form)
        if phase in one.required
        for language in consequences.LANGUAGES
        if not said.get(one.id, {}).get(language, "").strip()
    ]


def document(said: dict[str, Any], *, form: str, language: str, lead: tuple[str, ...]) -> Document:
    """Return the notice as pages.

    Args:
        said: as ``content`` made it.
        form: the version it was made in.
        language: ``en`` or ``pl``.
        lead: lines under the title.
    """
    parts = tuple(
        Part(
            section.heading.in_(language),
            tuple(Text(f"{one.label.in_(language)}: {said[one.id][language]}") for one in section.fields),
        )
        for section in FORMS[form]
    )
    title = Both("Notification of a personal data breach", "Zgłoszenie naruszenia ochrony danych osobowych")
    page = Both("Page", "Strona")
    return Document(title=title.in_(language), parts=parts, lead=lead, language=language, page_word=page.in_(language))
