"""The buttons that stop something at once, each undone as quickly, each in the journal (clause 8.1).

A measure is a row of the table: what it is called, what it needs, how it is done and how undone. Doing happens in the
transaction that records it: a crash leaves both or neither, except where a lower room commits for itself, and doing
again is harmless there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from headshotly.access import grants, machines, members
from headshotly.access import services as access
from headshotly.accounts import selectors as customers
from headshotly.accounts import services as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents import cases, holder_letters, timeline, wording
from headshotly.incidents.errors import Incomplete, NotFound, NotNow
from headshotly.incidents.models import Containment, TimelineKind
from headshotly.integrations import tokens as programs
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import holds
from headshotly.vendors import closures

READ_ONLY = "read-only"
GRANT = "grant"
_TOKEN_BYTES = 32
type Do = Callable[[Actor, str, str], str]
type Undo = Callable[[Actor, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One button.

    Attributes:
        id: stable short name.
        label: what it does, for people.
        target: what to name; empty where there is nothing to choose.
        effect: what happens to whom, in a sentence, shown beside the button.
        do: does it, takes who, the target and why, returns what was found.
        undo: puts it back; None where the matter mends itself, as ended sessions do by signing in again.
        subject: the target is a data subject's pseudonym.
    """

    id: str
    label: str
    target: str
    effect: str
    do: Do
    undo: Undo | None
    subject: bool = False

    @property
    def can_be_undone(self) -> bool:
        """Say whether something puts it back; pages ask this, since a template would call ``undo`` itself."""
        return self.undo is not None


def _id(target: str) -> UUID:
    try:
        return UUID(target)
    except ValueError:
        raise Incomplete("Please give the id as it stands in the console.") from None


def _customer(target: str) -> UUID:
    subject = _id(target)
    if customers.customer(subject) is None:
        raise NotFound("There is no such customer.")
    return subject


def _token(target: str) -> bytes:
    try:
        name = bytes.fromhex(target)
    except ValueError:
        name = b""
    if len(name) != _TOKEN_BYTES:
        raise Incomplete("Please give the token's fingerprint as it stands under Service accounts.")
    return name


def _was(changed: bool, done: str, before: str) -> str:
    return done if changed else before


def _end_sessions(actor: Actor, target: str, _because: str) -> str:
    return f"{accounts.end_all_sessions(actor=actor, subject=_customer(target))} sessions ended"


def _suspend_account(actor: Actor, target: str, _because: str) -> str:
    return _was(accounts.suspend(actor=actor, subject=_customer(target)), "suspended", "it was suspended already")


def _end_staff_sessions(actor: Actor, target: str, _because: str) -> str:
    return f"{access.end_sessions_of(actor=actor, member=members.by_id(_id(target)))} sessions ended"


def _suspend_staff(actor: Actor, target: str, _because: str) -> str:
    return _was(access.suspend(actor=actor, member=members.by_id(_id(target))), "suspended", "suspended already")


def _suspend_grant(actor: Actor, target: str, _because: str) -> str:
    if not grants.suspend(actor=actor, grant_id=_id(target)):
        raise NotFound("There is no such grant in force.")
    return "suspended"


def _revoke_grant(actor: Actor, target: str, because: str) -> str:
    grants.end(actor=actor, grant_id=_id(target), because=f"incident: {because}"[:80])
    return "ended"


def _suspend_machine(actor: Actor, target: str, _because: str) -> str:
    if not machines.suspend(actor=actor, account_id=_id(target)):
        raise NotFound("There is no such service account in use.")
    return "suspended"


def _revoke_token(actor: Actor, target: str, _because: str) -> str:
    if not machines.revoke_as(actor=actor, token_sha256=_token(target)):
        raise NotFound("There is no such valid token.")
    return "revoked"


def _revoke_customers_tokens(actor: Actor, target: str, _because: str) -> str:
    return f"{programs.revoke_all(actor=actor, subject=_customer(target))} tokens revoked"


def _hold_key(actor: Actor, target: str, because: str) -> str:
    held = holds.hold(actor=actor, subject=_customer(target), because=because)
    return _was(held, "nothing of theirs opens", "it was held already")


def _hold_all_keys(actor: Actor, _target: str, because: str) -> str:
    return _was(holds.hold(actor=actor, subject=None, because=because), "nothing opens", "they were held already")


def _close_vendor(actor: Actor, target: str, because: str) -> str:
    return _was(closures.close(actor=actor, vendor=target, because=because), "closed", "it was closed already")


def _read_only(_actor: Actor, _target: str, _because: str) -> str:
    # The row that records it is the switch itself; ``read_only`` looks at it.
    return "customers can look, nothing is changed"


def _open_vendor(actor: Actor, target: str) -> None:
    closures.open_again(actor=actor, vendor=target)


MEASURES: dict[str, Measure] = {
    one.id: one
    for one in (
        Measure(
            id="sessions", label="End a customer's sessions", target="Customer's pseudonym", subject=True,
            effect="They are signed out everywhere at once, and can sign in again.",
            do=_end_sessions, undo=None,
        ),
        Measure(
            id="customer-tokens", label="Revoke a customer's tokens", target="Customer's pseudonym", subject=True,
            effect="No program acts for them any more; they can make new tokens.",
            do=_revoke_customers_tokens, undo=None,
        ),
        Measure(
            id="account", label="Suspend a customer's account", target="Customer's pseudonym", subject=True,
            effect="Nobody signs in to it, and whoever was is not any more. Nothing in it changes.",
            do=_suspend_account, undo=lambda actor, target: _undone(accounts.resume(actor=actor, subject=_id(target))),
        ),
        Measure(
            id="customer-key", label="Stop the use of a customer's key", target="Customer's pseudonym", subject=True,
            effect="None of their photos or details opens for anybody, not for themselves either.",
            do=_hold_key, undo=lambda actor, target: _undone(holds.release(actor=actor, subject=_id(target))),
        ),
        Measure(
            id="staff-sessions", label="End a member's sessions", target="Member's id",
            effect="They are signed out of the console at once, and can sign in again with both factors.",
            do=_end_staff_sessions, undo=None,
        ),
        Measure(
            id="staff", label="Suspend a member of staff", target="Member's id",
            effect="They are out at once, and none of their grants opens anything.",
            do=_suspend_staff, undo=lambda actor, target: _undone(access.resume(actor=actor, member_id=_id(target))),
        ),
        Measure(
            id=GRANT, label="Suspend a grant", target="Grant's id",
            effect="It opens nothing from now on, and its holder is written to; its time runs on.",
            do=_suspend_grant, undo=lambda actor, target: _undone(grants.resume(actor=actor, grant_id=_id(target))),
        ),
        Measure(
            id="grant-end", label="Revoke a grant", target="Grant's id",
            effect="It is over for good; a new one can be asked for.",
            do=_revoke_grant, undo=None,
        ),
        Measure(
            id="machine", label="Suspend a service account", target="Service account's id",
            effect="None of its tokens works.",
            do=_suspend_machine,
            undo=lambda actor, target: _undone(machines.resume(actor=actor, account_id=_id(target))),
        ),
        Measure(
            id="token", label="Revoke an API token", target="Token's fingerprint",
            effect="It is void for good; a new one can be issued.",
            do=_revoke_token, undo=None,
        ),
        Measure(
            id="vendor", label="Close a vendor", target="Vendor: mail, stripe, or a host",
            effect="Nothing leaves for it until it is opened again; mails and calls wait.",
            do=_close_vendor, undo=_open_vendor,
        ),
        Measure(
            id="all-keys", label="Stop the use of all keys", target="",
            effect="No customer's photo or detail opens for anybody. Work in progress stops.",
            do=_hold_all_keys, undo=lambda actor, _target: _undone(holds.release(actor=actor, subject=None)),
        ),
        Measure(
            id=READ_ONLY, label="Make the whole service read-only", target="",
            effect="Customers can sign in, look and download; uploads, orders and changes wait. The console works.",
            do=_read_only, undo=lambda _actor, _target: None,
        ),
    )
}  # fmt: skip


def _undone(_changed: bool) -> None:
    """Forget whether anything had to be put back: undoing what somebody else undid already is done."""


def measure_of(measure_id: str) -> Measure:
    """Return a measure.

    Raises:
        NotFound: there is none of this name.
    """
    if measure_id not in MEASURES:
        raise NotFound("There is no such measure.")
    return MEASURES[measure_id]


@enforces("8.1.a-b", "2.3.b")
def contain(*, actor: Actor, number: int | None, measure_id: str, target: str, because: str) -> Containment:
    """Stop something now.

    Args:
        actor: who, or the house itself.
        number: of the case; None for what the house does by itself before there is one.
        measure_id: one of ``MEASURES``.
        target: what the measure asks for.
        because: why, in a sentence; pseudonyms only.

    Raises:
        Incomplete: the target is none, or there is no reason.
        NotFound: there is no such measure, target or case.
        NotNow: the case is closed, or the same is in force already in this case.
    """
    measure, reason = measure_of(measure_id), wording.checked(because, what="The reason")
    wanted = target.strip().lower() if measure.target else ""
    if measure.target and not wanted:
        raise Incomplete(f"Please name it: {measure.target.lower()}.")
    with transaction.atomic():
        case = cases.locked(number) if number is not None else None
        if measure.undo is not None and _in_force(measure_id, wanted).exists():
            raise NotNow("This is in force already.")
        result = measure.do(actor, wanted, reason)
        now = clock.now()
        row = Containment.objects.create(
            case=case,
            measure=measure_id,
            target=wanted,
            because=reason,
            done_at=now,
            done_by=actor.id if actor.kind == "staff" else None,
            result=result[:200],
            # What mends itself is over when it is done.
            undone_at=None if measure.undo else now,
        )
        _tell(actor, row, measure, f"{measure.label}{_named(wanted)}: {result}. {reason}", done=True)
        if measure_id == GRANT:
            holder_letters.queue(row, member=grants.by_id(_id(wanted)).member_id)
    return row


def _named(target: str) -> str:
    return f" ({target})" if target else ""


def _in_force(measure_id: str, target: str) -> QuerySet[Containment]:
    return Containment.objects.filter(measure=measure_id, target=target, undone_at__isnull=True)


def _tell(actor: Actor, row: Containment, measure: Measure, words: str, *, done: bool) -> None:
    act = Act.CONTAINMENT_APPLIED if done else Act.CONTAINMENT_LIFTED
    subject = _id(row.target) if measure.subject else None
    if row.case is None:
        audit.record(actor=actor, act=act, subject=subject, purpose=measure.id)
        return
    kind = TimelineKind.CONTAINED if done else TimelineKind.RELEASED
    timeline.write(actor=actor, case=row.case, kind=kind, words=words, act=act, subject=subject)


@enforces("8.1.a-b")
def release(*, actor: Actor, containment_id: UUID, because: str) -> Containment:
    """Undo a containment, also in a case that is closed by now.

    Raises:
        Incomplete: there is no reason.
        NotFound: there is none in force of this id.
    """
    reason = wording.checked(because, what="The reason")
    with transaction.atomic():
        row = Containment.objects.select_for_update().filter(id=containment_id, undone_at__isnull=True).first()
        if row is None:
            raise NotFound("There is nothing in force here.")
        measure = measure_of(row.measure)
        if measure.undo is not None:
            measure.undo(actor, row.target)
        row.undone_at, row.undone_by, row.undone_because = clock.now(), actor.id, reason
        row.save(update_fields=["undone_at", "undone_by", "undone_because"])
        if row.measure == GRANT:
            holder_letters.queue(row, member=grants.by_id(_id(row.target)).member_id)
        _tell(actor, row, measure, f"Undone: {measure.label}{_named(row.target)}. {reason}", done=False)
    return row


def in_force() -> list[Containment]:
    """Return every containment in force, newest first."""
    found = Containment.objects.select_related("case").filter(undone_at__isnull=True)
    return list(found.order_by("-done_at"))


def of(number: int) -> list[Containment]:
    """Return a case's containment, newest first."""
    return list(Containment.objects.filter(case_id=number).order_by("-done_at"))


@enforces("8.1.a-b")
def read_only() -> bool:
    """Say whether the whole service is read-only at the moment."""
    return Containment.objects.filter(measure=READ_ONLY, undone_at__isnull=True).exists()
