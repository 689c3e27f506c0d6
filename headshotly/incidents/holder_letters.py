"""Writing to whoever holds a grant that was suspended or let go: queued with the containment, handed over by its duty.

They must know at once: it may be their own work that looked odd, or somebody else at their desk.
"""

from uuid import UUID

from headshotly.access import grants
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.incidents import oncall
from headshotly.incidents.escalation import Duty
from headshotly.incidents.models import Containment, HolderLetter
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail, posting
from headshotly.vendors.posting import Posted


def queue(row: Containment, *, member: UUID) -> None:
    """Queue the mail about a containment as it stands, in the transaction that makes it so."""
    HolderLetter.objects.get_or_create(
        containment=row, member=member, released=row.undone_at is not None, defaults={"next_at": clock.now()}
    )


@enforces("8.1.a-b")
def send_due() -> int:
    """Hand over the mails that are due, to the member's own mailbox or else the house's; return how many."""
    rows = HolderLetter.objects.select_related("containment__case")
    return posting.send_due(rows, hand_over=_hand_over, given_up=_given_up)


def _hand_over(row: HolderLetter, once: UUID) -> bool:
    title, text = text_of(row)
    mail.send(to=oncall.mailbox(Duty.FIRST, row.member), subject=title, text=text, about=row.member, once=once)
    return True


def text_of(row: HolderLetter) -> tuple[str, str]:
    """Return subject line and text; pseudonyms only, since the mailbox may be shared."""
    grant, stopped = grants.by_id(UUID(row.containment.target)), row.containment
    about = f"{grant.get_scope_display()}, ticket {grant.ticket}"
    case = f"Case {stopped.case.reference}. " if stopped.case is not None else ""
    link = f"{configuration.current().public_url}/staff/grants/"
    if row.released:
        title = "A grant of yours works again"
        text = f"{grant.member.handle}, your grant ({about}) was let go and opens again for what is left of its time."
        return title, f"{text}\n\n{case}Because: {stopped.undone_because}\n{link}\n"
    title = "A grant of yours was suspended"
    text = f"{grant.member.handle}, your grant ({about}) was suspended at {stopped.done_at:%Y-%m-%d %H:%M} UTC.\n\n"
    text += (
        f"{case}{stopped.because}\n\nIt opens nothing until a security officer lets it go; its time runs on. If this "
    )
    text += "was your own work, tell them what it was for. If it was not you, tell them at once.\n"
    return title, text + f"{link}\n"


def _given_up(row: Posted, why: str) -> None:
    letter = HolderLetter.objects.get(id=row.id)
    audit.record(actor=SYSTEM, act=Act.LETTER_FAILED, subject=letter.member, purpose=why, outcome=Outcome.FAILED)
