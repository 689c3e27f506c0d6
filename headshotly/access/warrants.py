"""The only place where warrants are made: for owners, for workers, for the house itself, for staff with a grant."""

import datetime as dt
from uuid import UUID

from headshotly.access import members, personnel
from headshotly.access.bearers import SCOPES, Bearer
from headshotly.access.errors import GrantRefused, ScopeMissing
from headshotly.access.models import Grant, StaffMember
from headshotly.audit.actor import Actor
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import minting
from headshotly.vault.warrant import Warrant

OWNER_VALID = dt.timedelta(minutes=5)
TOKEN_VALID = dt.timedelta(minutes=5)
# What a customer's program opens, and the scopes of which any one allows it; what is not listed no token opens.
TOKEN_PURPOSES = {
    "view-by-program": frozenset({"photos.read"}),
    "download-by-program": frozenset({"results.read"}),
    "export-download": frozenset({"export"}),
    "endpoints-by-program": frozenset({"webhooks.read", "webhooks.write"}),
    "repeat-answer": frozenset(SCOPES),
}
STAFF_SELF_VALID = dt.timedelta(minutes=1)
STAFF_OPENING_VALID = dt.timedelta(minutes=1)
_MINTING_TAKES = dt.timedelta(seconds=1)  # at most; keeps a warrant from ending after its grant
SERVICE_VALID = dt.timedelta(minutes=1)
SERVICE_PURPOSES = {
    "second-factor": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a01"),
    "security-notice": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a02"),
    "rights-notice": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a03"),
    "policy-notice": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a04"),
    "proof-canary": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a05"),
    "breach-notice": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a07"),
    "on-call": UUID("6f0d1f5c-3d3a-5d6e-9b8e-1c1f0f6f5a08"),
}


@enforces("5.1.a")
def owner_warrant(*, customer_id: UUID, session_key: str, purpose: str) -> Warrant:
    """Return a warrant for a customer to open their own data in their own session.

    Args:
        customer_id: pseudonym of the customer, both actor and subject.
        session_key: key of the session; only its first characters are named as basis.
        purpose: what they are doing, such as ``view``.
    """
    return minting.mint(
        actor=Actor(kind="customer", id=customer_id),
        subject=customer_id,
        purpose=purpose,
        basis=f"session:{session_key[:6]}",
        valid_for=OWNER_VALID,
    )


@enforces("5.1.a", "2.4.a")
def token_warrant(*, bearer: Bearer, purpose: str) -> Warrant:
    """Return a warrant for a customer's program to open its owner's data, as far as its token's scopes go.

    Args:
        bearer: the program; the token's owner is both actor and subject.
        purpose: one of ``TOKEN_PURPOSES``.

    Raises:
        ScopeMissing: no scope of the token allows it.
        KeyError: no token opens anything for this purpose.
    """
    allowing = TOKEN_PURPOSES[purpose]
    if not allowing & bearer.scopes:
        scope = min(allowing)
        raise ScopeMissing(f"This token may not do this: it lacks the scope “{scope}”.", scope=scope)
    return minting.mint(
        actor=Actor(kind="customer", id=bearer.subject, role="token"),
        subject=bearer.subject,
        purpose=purpose,
        basis=f"token:{bearer.token_id}",
        valid_for=TOKEN_VALID,
    )


@enforces("5.1.a")
def worker_warrant(
    *, subject: UUID, job_id: UUID, purpose: str, valid_for: dt.timedelta, role: str = "studio"
) -> Warrant:
    """Return a warrant for a worker to open one customer's data for one job.

    Args:
        subject: pseudonym of the customer.
        job_id: the job; it is the actor.
        purpose: the activity, such as ``generate``.
        valid_for: how long the step may take.
        role: which room's work it is.
    """
    return minting.mint(
        actor=Actor(kind="worker", id=job_id, role=role),
        subject=subject,
        purpose=purpose,
        basis=f"job:{job_id}",
        valid_for=valid_for,
    )


@enforces("5.1.a")
def service_warrant(*, subject: UUID, purpose: str) -> Warrant:
    """Return a warrant for the house itself: to check a second factor before there is a session, or to write a notice.

    Args:
        subject: pseudonym of the customer.
        purpose: one of ``SERVICE_PURPOSES``; nothing else has a service of its own.

    Raises:
        KeyError: there is no service for this purpose.
    """
    return minting.mint(
        actor=Actor(kind="service", id=SERVICE_PURPOSES[purpose], role=purpose),
        subject=subject,
        purpose=purpose,
        basis=f"service:{purpose}",
        valid_for=SERVICE_VALID,
    )


@enforces("5.1.a", "2.4.c")
def staff_warrant(*, grant: Grant, member: StaffMember) -> Warrant:
    """Return a warrant under a grant that ``grants.use`` has just found live; never valid beyond the grant itself.

    Args:
        grant: live, of this member, naming one customer.
        member: who opens.

    Raises:
        GrantRefused: it has no time left.
        ValueError: it names no customer or is another's.
    """
    if grant.subject is None or grant.expires_at is None or grant.member_id != member.id:
        raise ValueError("a grant for data names its member, its customer and its end")
    left = grant.expires_at - clock.now() - _MINTING_TAKES
    if left <= dt.timedelta(0):
        raise GrantRefused("This grant is expired; it opens nothing now.")
    return minting.mint(
        actor=Actor(kind="staff", id=member.id, role=member.role),
        subject=grant.subject,
        purpose=f"{grant.purpose} ({grant.ticket}), grant {grant.id}",
        basis=f"grant:{grant.id}",
        valid_for=min(STAFF_OPENING_VALID, left),
    )


def _for_work(member: StaffMember, right: str, *, subject: UUID, purpose: str, basis: str) -> Warrant:
    """Return a warrant for what was written to us, or belongs to a case, and is somebody's work to read."""
    members.require_right(member, right)
    missing = personnel.gaps(member)
    if missing:
        raise GrantRefused(f"Not opened: {'; '.join(missing)}.")
    return minting.mint(
        actor=Actor(kind="staff", id=member.id, role=member.role),
        subject=subject,
        purpose=purpose,
        basis=basis,
        valid_for=STAFF_SELF_VALID,
    )


@enforces("5.1.a", "5.2")
def request_warrant(*, member: StaffMember, subject: UUID, reference: str) -> Warrant:
    """Return a warrant for whoever answers a rights request to read what the person wrote to us in it.

    The person addressed these words to us, so the request itself is the basis; pictures and details need a grant.

    Args:
        member: who answers; with the right to, and no gap in the people checks.
        subject: pseudonym of the person.
        reference: of the request, shown to the person in *Who opened my photos*.

    Raises:
        GrantRefused: a people check is missing or expired.
        PermissionMissing: their role does not answer requests.
    """
    return _for_work(
        member, "requests.answer", subject=subject, purpose=f"rights-request {reference}", basis=f"request:{reference}"
    )


@enforces("5.1.a", "5.2")
def report_warrant(*, member: StaffMember, subject: UUID, reference: str) -> Warrant:
    """Return a warrant for whoever answers reports of weaknesses to read what the reporter wrote to us.

    Args:
        member: who answers; with the right to, and no gap in the people checks.
        subject: the reporter's pseudonym.
        reference: of the report.

    Raises:
        GrantRefused: a people check is missing or expired.
        PermissionMissing: their role does not answer reports.
    """
    return _for_work(
        member,
        "weaknesses.answer",
        subject=subject,
        purpose=f"weakness-report {reference}",
        basis=f"report:{reference}",
    )


@enforces("5.1.a", "5.2")
def case_warrant(*, member: StaffMember, case_key: UUID, reference: str) -> Warrant:
    """Return a warrant to read the evidence of one case, sealed under the case's own key.

    Args:
        member: who reads; with the right to, and no gap in the people checks.
        case_key: pseudonym of the case in the vault.
        reference: of the case, such as ``INC-12``.

    Raises:
        GrantRefused: a people check is missing or expired.
        PermissionMissing: their role does not work on cases.
    """
    return _for_work(
        member, "incidents.write", subject=case_key, purpose=f"evidence {reference}", basis=f"case:{reference}"
    )


@enforces("5.1.a", "5.2")
def penetration_warrant(*, member: StaffMember, report_key: UUID, test: UUID) -> Warrant:
    """Return a warrant to read the report of one penetration test, sealed under the report's own key.

    Args:
        member: who reads; with the right to, and no gap in the people checks.
        report_key: pseudonym of the report in the vault.
        test: id of the test.

    Raises:
        GrantRefused: a people check is missing or expired.
        PermissionMissing: their role does not look after penetration tests.
    """
    return _for_work(
        member, "penetration.write", subject=report_key, purpose=f"penetration-report {test}", basis=f"test:{test}"
    )


def staff_self_warrant(*, member_id: UUID, role: str) -> Warrant:
    """Return a warrant for a member of staff to have their own second factor checked."""
    return minting.mint(
        actor=Actor(kind="staff", id=member_id, role=role),
        subject=member_id,
        purpose="second-factor",
        basis="sign-in",
        valid_for=STAFF_SELF_VALID,
    )
