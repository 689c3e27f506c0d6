"""When residents of California must be told of a breach (Cal. Civ. Code 1798.82(a), (h)).

Personal information there is a name together with certain data, or an e-mail address or user name with what opens the
account. A photograph counts only when it is stored or used for facial recognition. Encrypted data counts once its key
is, or may be, with the intruder.
"""

from dataclasses import dataclass

from headshotly.policy.enforcement import enforces

# With a name, “unique biometric data … used to authenticate” (1798.82(h)(1)(F)); a photograph is such only while it is
# used for facial recognition, which this product does not do.
_PICTURES = frozenset({"photo", "headshot", "export"})
_NAMES = frozenset({"name", "export", "order"})
_ADDRESSES = frozenset({"email", "export", "order"})
_OPENS_ACCOUNT = frozenset({"password", "second-factor"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the statute applies, and why."""

    applies: bool
    because: str


@enforces("8.3.c")
def finding(
    kinds: frozenset[str], *, intelligible: bool, facial_recognition: bool = False, acquired: bool = True
) -> Finding:
    """Say whether a breach must be told to residents of California, with the reason.

    Args:
        kinds: of data about one person that were touched, ids of ``data_kinds.KINDS``.
        intelligible: unencrypted, or the key was or may have been acquired too.
        facial_recognition: the pictures are stored or used to recognise people.
        acquired: an unauthorised person acquired it, or is reasonably believed to have.
    """
    if not acquired:
        return Finding(applies=False, because="nobody unauthorised acquired the data (1798.82(g))")
    if not intelligible:
        return Finding(applies=False, because="the data was encrypted and every key is safe (1798.82(a))")
    if "unknown" in kinds:
        return Finding(applies=True, because="the kind of data could not be determined, so it counts")
    if kinds & _ADDRESSES and kinds & _OPENS_ACCOUNT:
        return Finding(applies=True, because="an e-mail address with what opens the account (1798.82(h)(2))")
    if kinds & _NAMES and kinds & _PICTURES and facial_recognition:
        return Finding(applies=True, because="a name with pictures used for facial recognition (1798.82(h)(1)(F))")
    return Finding(
        applies=False,
        because="no name with listed data and no address with what opens the account; a photograph counts only "
        "when it is used for facial recognition (1798.82(h))",
    )
