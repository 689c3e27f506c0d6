"""The kinds of personal data the house keeps, as a breach speaks of them: from the journal's names to words.

Weights follow ENISA, *Recommendations for a methodology of the assessment of severity of personal data breaches*, 2013:
processing context from 1 (simple) to 4 (sensitive), ease of identification from 0.25 to 1. They are house values, each
with its reason; counsel may change them here and nowhere else.
"""

from dataclasses import dataclass

from headshotly.audit.acts import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKind:
    """One kind of personal data.

    Attributes:
        id: stable short name.
        en: words, in English.
        pl: words, in Polish.
        context: ENISA's data processing context, 1 to 4.
        identifies: ENISA's ease of identification of it alone, 0.25 to 1.
        because: why these weights.
    """

    id: str
    en: str
    pl: str
    context: int
    identifies: float
    because: str


KINDS: dict[str, DataKind] = {
    kind.id: kind
    for kind in (
        DataKind(
            id="name", en="name", pl="imię i nazwisko", context=1, identifies=0.75,
            because="simple data; many people share a name",
        ),
        DataKind(
            id="email", en="e-mail address", pl="adres e-mail", context=1, identifies=1.0,
            because="simple data that reaches exactly one person",
        ),
        DataKind(
            id="photo", en="uploaded photos (faces)", pl="przesłane zdjęcia (wizerunek twarzy)",
            context=2, identifies=1.0, because="a face identifies, shows surroundings, and can be misused for fakes",
        ),
        DataKind(
            id="headshot", en="generated headshots (faces)", pl="wygenerowane portrety (wizerunek twarzy)",
            context=2, identifies=1.0, because="as a photo; made to be shown, but by its owner",
        ),
        DataKind(
            id="export", en="a copy of everything held", pl="kopia wszystkich przechowywanych danych",
            context=3, identifies=1.0, because="everything at once allows a profile",
        ),
        DataKind(
            id="second-factor", en="second-factor secret", pl="sekret drugiego składnika logowania",
            context=3, identifies=0.5, because="with the password it opens an account and the photos in it",
        ),
        DataKind(
            id="password", en="password (only as an Argon2id hash)", pl="hasło (wyłącznie jako skrót Argon2id)",
            context=2, identifies=0.5, because="a weak one can be guessed from its hash and opens the account",
        ),
        DataKind(
            id="correspondence", en="what a person wrote to us", pl="korespondencja z nami",
            context=3, identifies=1.0, because="free text may hold anything, also sensitive data",
        ),
        DataKind(
            id="order", en="orders and invoices (no card data)", pl="zamówienia i faktury (bez danych kart)",
            context=2, identifies=1.0, because="shows purchases; card numbers are never kept",
        ),
        DataKind(
            id="usage", en="times of use and devices", pl="czas korzystania i urządzenia",
            context=2, identifies=0.5, because="behaviour over time, under a pseudonym",
        ),
        DataKind(
            id="staff", en="data of a member of staff", pl="dane pracownika", context=1, identifies=0.75,
            because="sign-in data and dates of checks",
        ),
        DataKind(
            id="unknown", en="data of a kind that could not be determined", pl="dane nieustalonej kategorii",
            context=4, identifies=1.0, because="what is not known counts as the worst",
        ),
    )
}  # fmt: skip

# Object kinds of the vault, and the acts of the journal that tell the kind of an object that is gone since.
# A preview that is gone shows a photo or a headshot; both weigh the same.
OF_OBJECT: dict[str, str] = {"photo": "photo", "preview": "photo", "headshot": "headshot", "export": "export"}
OF_ACT: dict[Act, str] = {
    Act.PHOTO_RECEIVED: "photo",
    Act.PHOTO_DELETED: "photo",
    Act.HEADSHOT_DELETED: "headshot",
    Act.HEADSHOT_MADE: "headshot",
    Act.HEADSHOT_DOWNLOADED: "headshot",
    Act.EXPORT_BUILT: "export",
    Act.EXPORT_DOWNLOADED: "export",
}
# Sealed columns by their label, as the journal names them after the purpose of an opening.
OF_FIELD: dict[str, str] = {
    "accounts.name": "name",
    "accounts.email": "email",
    "accounts.new-email": "email",
    "accounts.new_email": "email",
    "accounts.totp": "second-factor",
    "access.totp": "staff",
    "incidents.contact": "staff",
    "rights.words": "correspondence",
    "rights.reply": "correspondence",
}


def in_words(kinds: set[str], language: str) -> list[str]:
    """Return kinds of data in words, in the order of the table.

    Args:
        kinds: ids of ``KINDS``.
        language: ``en`` or ``pl``.
    """
    return [kind.pl if language == "pl" else kind.en for kind in KINDS.values() if kind.id in kinds]
