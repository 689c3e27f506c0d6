"""The only place where warrants are made: for an owner's own session, for a worker's job, for staff signing in."""

import datetime as dt
from uuid import UUID

from headshotly.audit.actor import Actor
from headshotly.policy.enforcement import enforces
from headshotly.vault import minting
from headshotly.vault.warrant import Warrant

OWNER_VALID = dt.timedelta(minutes=5)
STAFF_SELF_VALID = dt.timedelta(minutes=1)


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


@enforces("5.1.a")
def worker_warrant(*, subject: UUID, job_id: UUID, purpose: str, valid_for: dt.timedelta) -> Warrant:
    """Return a warrant for a worker to open one customer's data for one job.

    Args:
        subject: pseudonym of the customer.
        job_id: the job; it is the actor.
        purpose: the activity, such as ``generate``.
        valid_for: how long the step may take.
    """
    return minting.mint(
        actor=Actor(kind="worker", id=job_id, role="studio"),
        subject=subject,
        purpose=purpose,
        basis=f"job:{job_id}",
        valid_for=valid_for,
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
