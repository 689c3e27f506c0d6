"""How sure we must be of who asks: by kind of request and law (GDPR 12(6); 11 CCR 7060 to 7063)."""

from dataclasses import dataclass

from headshotly.rights.states import Channel, Kind


@dataclass(frozen=True, slots=True)
class Level:
    """What proof a request needs.

    Attributes:
        account: signing in and proving again who one is, for whoever has an account (7061).
        mailbox: following a link sent to the address given.
        points: how many facts that we hold the person must match.
        declaration: a declaration signed under penalty of perjury (7062(c)).
        permission: an agent shows the person's signed permission, and the person confirms it (7063).
        sentence: the same in words.
    """

    account: bool = False
    mailbox: bool = False
    points: int = 0
    declaration: bool = False
    permission: bool = False
    sentence: str = ""


NO_PROOF = Level(sentence="No proof of identity is needed.")
_BY_ACCOUNT = Level(account=True, sentence="Sign in and confirm your password.")
_MAILBOX = Level(mailbox=True, sentence="Open the link we send to your address.")
_REASONABLE = Level(
    mailbox=True, points=2, sentence="Open the link we send to your address; two facts must match what we hold."
)
_HIGH = Level(
    mailbox=True,
    points=3,
    declaration=True,
    sentence="Open the link we send to your address; three facts must match, and you sign a declaration.",
)
_REASONABLE_KINDS = frozenset({Kind.CORRECT, Kind.RESTRICT, Kind.OBJECT})
_HIGH_KINDS = frozenset({Kind.KNOW, Kind.EXPORT, Kind.DELETE})


def needed(kind: Kind, channel: Channel) -> Level:
    """Return what proof a request needs.

    An opt-out and a limit need none (11 CCR 7060(b)), for they harm nobody. The pieces themselves, and deleting them,
    need the high degree, because photos are sensitive (7062(c), (d)). A photo objection and an appeal need an address
    to answer to.
    """
    if kind in {Kind.OPT_OUT, Kind.LIMIT}:
        return NO_PROOF
    if channel is Channel.ACCOUNT:
        return _BY_ACCOUNT
    level = _HIGH if kind in _HIGH_KINDS else _REASONABLE if kind in _REASONABLE_KINDS else _MAILBOX
    if channel is Channel.AGENT:
        return Level(
            mailbox=True,
            points=level.points,
            declaration=level.declaration,
            permission=True,
            sentence="The person confirms by the link we send them that you act for them; then: " + level.sentence,
        )
    return level
