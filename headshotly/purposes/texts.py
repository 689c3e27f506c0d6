"""The consent texts, by version. A published version never changes; its hash is kept with each consent."""

import hashlib
from dataclasses import dataclass

from headshotly.purposes.errors import UnknownActivity

HEADSHOT_GENERATION = "headshot-generation"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What a person was asked, word for word.

    Attributes:
        activity: id of the activity it allows.
        version: date of publication, ISO 8601; the newest is the current one.
        language: it is written in; each language has a hash of its own, for a consent proves the words that were shown.
        title: the question in one line.
        statement: the sentence beside the tick box.
        points: what the person should know before they tick it.
    """

    activity: str
    version: str
    title: str
    statement: str
    points: tuple[str, ...]
    language: str = "en"

    @property
    def sha256(self) -> str:
        """Return the hash that proves which words were shown, as lowercase hex."""
        words = "\n".join((self.activity, self.version, self.title, self.statement, *self.points))
        return hashlib.sha256(words.encode()).hexdigest()


_TEXTS = (
    ConsentText(
        activity=HEADSHOT_GENERATION,
        version="2026-11-24",
        title="May we measure the face in your photos?",
        statement="Yes, measure the face in my photos to make headshots of it, and for nothing else.",
        points=(
            "To cut out a picture cleanly we find the face and its outline.",
            "Measuring a face is biometric processing, so we ask for it separately and never assume it.",
            "The measurements live in memory while your picture is made. They are not kept.",
            "They are never used to recognise you or anybody else.",
            "Your photos are sealed with a key of your own. Every opening is written down for you to read.",
            "You can take this back at any time, in one click. Work that is waiting or running then stops.",
            "Saying no costs you nothing but the headshots: your account and your data stay yours.",
            "Upload only photos of yourself, or of somebody who agreed that you may.",
        ),
    ),
    ConsentText(
        activity=HEADSHOT_GENERATION,
        version="2026-11-24",
        language="pl",
        title="Czy możemy zmierzyć twarz na Twoich zdjęciach?",
        statement="Tak, zmierzcie twarz na moich zdjęciach, aby zrobić z nich portrety, i w żadnym innym celu.",
        points=(
            "Aby czysto wyciąć postać, odnajdujemy twarz i jej obrys.",
            (
                "Mierzenie twarzy to przetwarzanie danych biometrycznych,"
                " dlatego pytamy o nie osobno i nigdy go nie zakładamy."
            ),
            "Pomiary są w pamięci tylko wtedy, gdy powstaje zdjęcie. Nie są przechowywane.",
            "Nigdy nie służą do rozpoznawania Ciebie ani nikogo innego.",
            (
                "Twoje zdjęcia są zapieczętowane Twoim własnym kluczem."
                " Każde otwarcie jest zapisywane, a Ty możesz je przeczytać."
            ),
            (
                "Zgodę możesz cofnąć w każdej chwili, jednym kliknięciem."
                " Praca, która czeka lub trwa, zostaje wtedy przerwana."
            ),
            "Odmowa nie kosztuje nic poza portretami: konto i dane pozostają Twoje.",
            "Przesyłaj tylko zdjęcia swoje albo osoby, która się na to zgodziła.",
        ),
    ),
)


def current_text(activity: str, language: str = "en") -> ConsentText:
    """Return the newest text for an activity, in a language where there is one, else in English.

    Raises:
        UnknownActivity: there is no text for it.
    """
    candidates = [text for text in _TEXTS if text.activity == activity]
    if not candidates:
        raise UnknownActivity("There is nothing to agree to under this address.")
    newest = max(text.version for text in candidates)
    spoken = {text.language: text for text in candidates if text.version == newest}
    return spoken.get(language) or spoken["en"]


def current_hashes(activity: str) -> set[str]:
    """Return the hashes of the newest text in every language; a consent to any of them is in force.

    Raises:
        UnknownActivity: there is no text for it.
    """
    newest = current_text(activity).version
    return {text.sha256 for text in _TEXTS if (text.activity, text.version) == (activity, newest)}


def text_of(activity: str, version: str, language: str = "en") -> ConsentText:
    """Return one version of a text, current or not.

    Raises:
        UnknownActivity: there is no such version.
    """
    for text in _TEXTS:
        if (text.activity, text.version, text.language) == (activity, version, language):
            return text
    raise UnknownActivity("There is no such version of this consent.")
