"""What a request may be, and what may follow what. Anything not listed is refused."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """Which right is used."""

    KNOW = "know", "Know what is held"
    EXPORT = "export", "Take a copy along"
    CORRECT = "correct", "Correct something"
    DELETE = "delete", "Delete"
    RESTRICT = "restrict", "Restrict processing"
    OBJECT = "object", "Object to processing"
    OPT_OUT = "opt-out", "Opt out of sale and sharing"
    LIMIT = "limit", "Limit the use of sensitive data"
    PHOTO = "photo", "Object to a photo of me"
    APPEAL = "appeal", "Appeal against an answer"


class Regime(TextChoices):
    """Which law the person relies on; who names none gets the earlier deadline of both."""

    EITHER = "either", "Whichever is better for me"
    GDPR = "gdpr", "GDPR"
    CALIFORNIA = "california", "CCPA"


class Channel(TextChoices):
    """Which way a request came."""

    ACCOUNT = "account", "Signed in"
    FORM = "form", "Form, without an account"
    AGENT = "agent", "Authorised agent"
    MAIL = "mail", "Mail or letter"
    SIGNAL = "signal", "Global Privacy Control"


class State(TextChoices):
    """Where a request stands."""

    PROOF = "proof", "Waits for proof of identity"
    OPEN = "open", "Being worked on"
    EXTENDED = "extended", "Being worked on, extended"
    ANSWERED = "answered", "Answered"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Taken back"


class Outcome(TextChoices):
    """How a request ended; the empty value is a request that has not."""

    GRANTED = "granted", "Granted"
    PARTLY = "partly", "Granted in part"
    REFUSED = "refused", "Refused"


NEXT: dict[State, frozenset[State]] = {
    State.PROOF: frozenset({State.OPEN, State.REFUSED, State.WITHDRAWN}),
    State.OPEN: frozenset({State.EXTENDED, State.ANSWERED, State.REFUSED, State.WITHDRAWN}),
    State.EXTENDED: frozenset({State.ANSWERED, State.REFUSED, State.WITHDRAWN}),
    State.ANSWERED: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
ENDS = frozenset(state for state, following in NEXT.items() if not following)
LIVE = frozenset(State) - ENDS

# Why a request may be refused, in whole or part, with the rule that allows it; a closed list, told to the person.
GROUNDS = {
    "unverified": "we could not verify that you are the person the data is about (GDPR 12(6), 11 CCR 7060)",
    "unfounded": "the request is manifestly unfounded or excessive (GDPR 12(5), Civ. Code 1798.145(h)(3))",
    "others": "it would harm the rights of others (GDPR 15(4))",
    "law": "a law obliges us to keep the data (GDPR 17(3)(b), Civ. Code 1798.105(d)(8))",
    "claims": "the data is needed for legal claims (GDPR 17(3)(e))",
    "accurate": "the data is accurate, all circumstances considered (11 CCR 7023(b))",
    "compelling": "compelling legitimate grounds override (GDPR 21(1))",
    "nothing": "we hold no such data",
}


def before(state: State) -> list[State]:
    """Return the states from which a request may come into the given one."""
    return [earlier for earlier, following in NEXT.items() if state in following]
