"""What a breach may mean for people, and what they can do about it: closed lists in English and Polish."""

from dataclasses import dataclass

LANGUAGES = ("en", "pl")


@dataclass(frozen=True, slots=True)
class Both:
    """One text in both languages of the house."""

    en: str
    pl: str

    def in_(self, language: str) -> str:
        """Return the text in a language, ``en`` or ``pl``."""
        return self.pl if language == "pl" else self.en


CONSEQUENCES: dict[str, Both] = {
    "control": Both("loss of control over one's own data", "utrata kontroli nad własnymi danymi osobowymi"),
    "rights": Both("limits on exercising one's rights", "ograniczenie możliwości realizowania praw"),
    "discrimination": Both("discrimination", "dyskryminacja"),
    "identity": Both("identity theft or fraud", "kradzież lub sfałszowanie tożsamości"),
    "financial": Both("financial loss", "strata finansowa"),
    "reputation": Both("harm to reputation", "naruszenie dobrego imienia"),
    "fakes": Both(
        "misuse of one's face, such as in fakes", "wykorzystanie wizerunku, na przykład w fałszywych nagraniach"
    ),
    "phishing": Both("deceptive messages to one's address", "wiadomości wyłudzające wysyłane na adres osoby"),
    "takeover": Both("somebody else getting into the account", "przejęcie konta przez osobę trzecią"),
    "loss": Both("photos or headshots that are lost", "utrata zdjęć lub portretów"),
}

_ALWAYS = Both(
    "Be wary of messages about this incident that want money, a password or a click; we never ask for a password.",
    "Proszę uważać na wiadomości dotyczące tego zdarzenia, które żądają pieniędzy, hasła lub kliknięcia w odnośnik; "
    "nigdy nie prosimy o hasło.",
)
_ADVICE: dict[str, Both] = {
    "password": Both(
        "Choose a new password for HeadShotly, and for every place where you used the same one.",
        "Proszę ustawić nowe hasło do HeadShotly i wszędzie tam, gdzie używano tego samego hasła.",
    ),
    "second-factor": Both(
        "Set up your second factor again under Account, Protection.",
        "Proszę ponownie skonfigurować drugi składnik logowania w zakładce Konto, Ochrona.",
    ),
    "photo": Both(
        "If you find your picture where you did not put it, ask that site to remove it, and tell us: we help.",
        "Jeśli znajdą Państwo swoje zdjęcie w miejscu, w którym go nie umieszczono, proszę zażądać jego usunięcia "
        "i poinformować nas: pomożemy.",
    ),
    "email": Both(
        "Check the sender of every message that claims to come from us; ours come from this address only.",
        "Proszę sprawdzać nadawcę każdej wiadomości, która rzekomo pochodzi od nas; piszemy wyłącznie z tego adresu.",
    ),
}
_LIKE = {"headshot": "photo", "export": "photo"}


def advice(kinds: set[str], language: str) -> list[str]:
    """Return what people can do themselves, by the kinds of data that were touched.

    Args:
        kinds: ids of ``data_kinds.KINDS``.
        language: ``en`` or ``pl``.
    """
    wanted = {_LIKE.get(kind, kind) for kind in kinds}
    if wanted & {"export"} or "unknown" in kinds:
        wanted = set(_ADVICE)
    return [one.in_(language) for kind, one in _ADVICE.items() if kind in wanted] + [_ALWAYS.in_(language)]


def in_words(codes: list[str], language: str) -> list[str]:
    """Return consequences in words, in the order of the list."""
    return [both.in_(language) for code, both in CONSEQUENCES.items() if code in codes]
