"""What every room raises when it says no to a person."""

from headshotly.policy.wording import told


class Refusal(Exception):
    """A request is refused for a reason a person can read.

    Attributes:
        sentence: plain words in the language in force, safe to show to whoever asked; never holds personal data.
        code: short stable identifier for APIs and tests, such as ``photo.no_face``.
        status: HTTP status the front door answers with.
    """

    code = "refused"
    status = 400

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self._sentence = sentence
        if code is not None:
            self.code = code

    @property
    def sentence(self) -> str:
        """Return what a person reads, in their language where the catalogue has it."""
        return told(self._sentence)
