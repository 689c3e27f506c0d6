"""Weak, known and personal passwords are refused, and what is kept is Argon2id (clause 10.1)."""

from headshotly.accounts import passwords
from headshotly.accounts import selectors as accounts
from headshotly.accounts.errors import InputRefused
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_WEAK = {
    "too short": "Tr0ub4dor&3",
    "one of the most used": "password123456",
    "a pattern": "qwertyuiop123",
    "few characters": "aaaaaaaaaaaaaaaa",
    "the product's name": "headshotly2026",
    "the person's name": "kanarkowska-zofia-1",
}
_ABOUT = ("zofia@example.invalid", "Zofia Kanarkowska")
_STRONG = "vier gruene Wolken 1983"


def _accepted(password: str) -> bool:
    try:
        passwords.require_strong(password, about=_ABOUT)
    except InputRefused:
        return False
    return True


@check(
    id="password_policy",
    clauses=("10.1",),
    title="Weak passwords are refused",
    words="We try six kinds of weak password, which must be refused, and a good one, which must not. And we look how "
    "passwords are kept: as Argon2id hashes only.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Try the gate and look at what is kept."""
    weak = [name for name, password in _WEAK.items() if _accepted(password)]
    if weak:
        return broken(f"A weak password was accepted: {shorten(weak)}.", ids=weak, population=len(_WEAK))
    if not _accepted(_STRONG):
        return broken("A strong password was refused.", ids=["strong"], population=len(_WEAK))
    kept, other = accounts.kept_passwords()
    if other:
        return broken(f"{other} passwords are not kept as Argon2id.", ids=[f"kept:{other}"], population=kept)
    return held(
        f"{len(_WEAK)} kinds of weak password were refused, and all {kept} kept ones are Argon2id.",
        population=len(_WEAK) + kept,
    )
