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
        title: the question in one line.
        statement: the sentence beside the tick box.
        points: what the person should know before they tick it.
    """

    activity: str
    version: str
    title: str
    statement: str
    points: tuple[str, ...]

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
)


def current_text(activity: str) -> ConsentText:
    """Return the newest text for an activity.

    Raises:
        UnknownActivity: there is no text for it.
    """
    candidates = [text for text in _TEXTS if text.activity == activity]
    if not candidates:
        raise UnknownActivity("There is nothing to agree to under this address.")
    return max(candidates, key=lambda text: text.version)


def text_of(activity: str, version: str) -> ConsentText:
    """Return one version of a text, current or not.

    Raises:
        UnknownActivity: there is no such version.
    """
    for text in _TEXTS:
        if (text.activity, text.version) == (activity, version):
            return text
    raise UnknownActivity("There is no such version of this consent.")
