"""The journal as a source: every entry becomes an event, by its act an authentication, a change or an access."""

import json
from typing import Any

from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.leaf import Leaf
from headshotly.incidents import ocsf
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource

_OUTCOMES = {Outcome.DONE: "success", Outcome.REFUSED: "failure", Outcome.FAILED: "failure"}
_SIGN_INS = {
    Act.SIGN_IN_SUCCEEDED: 1,
    Act.SIGN_IN_FAILED: 1,
    Act.SIGNED_OUT: 2,
    Act.SESSION_REVOKED: 2,
    Act.STAFF_SIGN_IN_SUCCEEDED: 1,
    Act.STAFF_SIGN_IN_FAILED: 1,
    Act.STAFF_SIGNED_OUT: 2,
}
_ACCOUNT_CHANGES = {
    Act.ACCOUNT_CREATED: 1,
    Act.ACCOUNT_DELETED: 6,
    Act.PASSWORD_CHANGED: 3,
    Act.SECOND_FACTOR_ADDED: 10,
    Act.SECOND_FACTOR_REMOVED: 11,
    Act.STAFF_CREATED: 1,
    Act.STAFF_CLOSED: 5,
    Act.STAFF_FACTOR_ADDED: 10,
}
# What this room writes itself would go round in circles.
OWN_ACTS = frozenset({Act.ALERT_RAISED, Act.ALERT_CLOSED})


def named(actor: Actor) -> str:
    """Return an actor as one text, ``kind:pseudonym``."""
    return f"{actor.kind}:{actor.id}" if actor.id else actor.kind


def source_of(leaf: Leaf) -> str:
    """Return which source an entry belongs to: sign-ins, or the journal itself."""
    return "authentication" if leaf.act in _SIGN_INS else "journal"


def observe(leaf: Leaf, raw: bytes) -> Observation:
    """Return the event of a journal entry. Its fields are the entry's: act, outcome, actor.kind, subject and so on.

    Args:
        leaf: the entry.
        raw: the bytes it was read from.
    """
    outcome = _OUTCOMES[leaf.outcome]
    if leaf.act in {Act.SIGN_IN_FAILED, Act.STAFF_SIGN_IN_FAILED}:
        outcome = "failure"
    source = source_of(leaf)
    fields = {
        "act": leaf.act.value,
        "outcome": leaf.outcome.value,
        "actor.kind": leaf.actor.kind,
        "actor.id": str(leaf.actor.id) if leaf.actor.id else None,
        "actor.role": leaf.actor.role or None,
        "subject": str(leaf.subject) if leaf.subject else None,
        "purpose": leaf.purpose or None,
        "warrant": str(leaf.warrant_id) if leaf.warrant_id else None,
        "objects": len(leaf.object_ids),
        "own": bool(leaf.subject and leaf.subject == leaf.actor.id),
    }
    return Observation(
        source=source,
        native_id=str(leaf.entry_id),
        occurred_at=leaf.occurred_at,
        log_source=LogSource("authentication" if source == "authentication" else "audit", "headshotly", source),
        fields={name: value for name, value in fields.items() if value is not None},
        ocsf=_ocsf(leaf, raw, source, outcome),
        raw=raw,
        act=leaf.act.value,
        outcome=outcome,
        actor=named(leaf.actor),
        subject=leaf.subject,
    )


def _ocsf(leaf: Leaf, raw: bytes, source: str, outcome: str) -> dict[str, Any]:
    more: dict[str, Any]
    user = {"uid": str(leaf.actor.id or leaf.actor.kind), "type": leaf.actor.kind, "type_id": ocsf.OTHER}
    about = {"uid": str(leaf.subject)} if leaf.subject else {}
    if leaf.act in _SIGN_INS:
        kind, activity, more = (
            ocsf.AUTHENTICATION,
            _SIGN_INS[leaf.act],
            {"user": about or user, "service": {"name": "headshotly"}},
        )
    elif leaf.act in _ACCOUNT_CHANGES:
        kind, activity, more = ocsf.ACCOUNT_CHANGE, _ACCOUNT_CHANGES[leaf.act], {"user": about or user}
    else:
        kind, activity, more = ocsf.API, ocsf.OTHER, {"resources": [{"type": "data subject", **about}] if about else []}
    return ocsf.event(
        kind,
        activity=activity,
        activity_name=leaf.act.value,
        at=leaf.occurred_at,
        source=source,
        uid=str(leaf.entry_id),
        outcome=outcome,
        severity=2 if outcome == "failure" else 1,
        actor={"user": user},
        api={"operation": leaf.act.value} if kind is ocsf.API else {},
        src_endpoint={"name": "headshotly"} if kind is ocsf.API else {},
        unmapped=json.loads(raw),
        **more,
    )
