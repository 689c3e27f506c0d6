"""Data-protection impact assessments (GDPR Art. 35, 36; clause 1.1.b).

One person writes, the DPO advises, another person approves; where a high risk remains the authority is consulted
first. An approval ends on its review date, and when the declaration it judged is changed.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, configuration, dates
from headshotly.policy.enforcement import enforces
from headshotly.purposes.declarations import Activity, activities, activity
from headshotly.purposes.errors import AssessmentMissing, AssessmentRefused, UnknownActivity
from headshotly.purposes.models import Assessment, AssessmentState

CONTENTS = ("description", "necessity", "risks", "measures")  # GDPR Art. 35(7)(a) to (d)
LONGEST_REVIEW = dt.timedelta(days=3 * 366)
_SHORTEST = 40  # characters; less is no assessment
DPO_ROLE = "dpo"


def fingerprint(declared: Activity) -> str:
    """Return the hash of what an assessment judged: the declaration as it stands."""
    parts = {
        "purpose": declared.purpose,
        "people": declared.people,
        "data": declared.data,
        "basis": declared.basis.value,
        "recipients": declared.recipients,
        "transfers": declared.transfers,
        "risks": sorted(declared.risks),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _declared(activity_id: str) -> Activity:
    try:
        return activity(activity_id)
    except KeyError:
        raise UnknownActivity("There is no such activity.") from None


def _staff(actor: Actor) -> UUID:
    if actor.kind != "staff" or actor.id is None:
        raise AssessmentRefused("Only a member of staff takes this step.")
    return actor.id


def write(*, actor: Actor, activity_id: str, contents: dict[str, str], residual_high: bool = False) -> Assessment:
    """Write an assessment with the contents the article asks for; it then waits for the DPO's advice.

    Args:
        actor: the author, a member of staff.
        activity_id: the activity assessed.
        contents: the four of ``CONTENTS`` and, where people were asked, ``views_of_people`` (Art. 35(9)).
        residual_high: a high risk remains in spite of the measures; the authority must be consulted (Art. 36).

    Raises:
        UnknownActivity: nobody declared the activity.
        AssessmentRefused: a part is missing or too short to say anything.
    """
    declared = _declared(activity_id)
    author = _staff(actor)
    if any(len(contents.get(name, "").strip()) < _SHORTEST for name in CONTENTS):
        raise AssessmentRefused(
            "An assessment describes the processing, judges necessity and proportionality, names the risks and the "
            f"measures, each in at least {_SHORTEST} characters."
        )
    with transaction.atomic():
        made = Assessment.objects.create(
            activity=activity_id,
            declaration_sha256=fingerprint(declared),
            state=AssessmentState.ADVICE,
            **{name: contents[name].strip() for name in CONTENTS},
            views_of_people=contents.get("views_of_people", "").strip(),
            residual_high=residual_high,
            written_by=author,
            written_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.ASSESSMENT_WRITTEN, purpose=f"{activity_id}: {made.id}")
    return made


def _take(assessment_id: UUID, *states: AssessmentState) -> Assessment:
    found = Assessment.objects.select_for_update().filter(id=assessment_id).first()
    if found is None or found.state not in states:
        raise AssessmentRefused("This step cannot be taken now; somebody may have been faster.")
    return found


def advise(*, actor: Actor, assessment_id: UUID, advice: str) -> Assessment:
    """Give the DPO's advice (Art. 35(2)).

    Raises:
        AssessmentRefused: it is not the DPO who advises, there is no advice, or it is not asked for now.
    """
    adviser = _staff(actor)
    if actor.role != DPO_ROLE or not advice.strip():
        raise AssessmentRefused("The Data Protection Officer advises, in words.")
    with transaction.atomic():
        found = _take(assessment_id, AssessmentState.ADVICE)
        found.advice, found.advised_by, found.advised_at = advice.strip(), adviser, clock.now()
        found.state = AssessmentState.CONSULTATION if found.residual_high else AssessmentState.APPROVAL
        found.save()
        audit.record(actor=actor, act=Act.ASSESSMENT_ADVISED, purpose=f"{found.activity}: {found.id}")
    return found


def record_consultation(*, actor: Actor, assessment_id: UUID, consulted_on: dt.date, answer: str) -> Assessment:
    """Record what the supervisory authority answered (Art. 36); only then may anybody approve.

    Raises:
        AssessmentRefused: no consultation is open, the day lies ahead, or there is no answer.
    """
    _staff(actor)
    if not answer.strip() or consulted_on > dates.today():
        raise AssessmentRefused("Please give the day of the consultation and what the authority answered.")
    with transaction.atomic():
        found = _take(assessment_id, AssessmentState.CONSULTATION)
        found.consulted_on, found.consultation, found.state = consulted_on, answer.strip(), AssessmentState.APPROVAL
        found.save()
        audit.record(actor=actor, act=Act.ASSESSMENT_CONSULTED, purpose=f"{found.activity}: {found.id}")
    return found


@enforces("1.1.b")
def approve(*, actor: Actor, assessment_id: UUID, review_on: dt.date) -> Assessment:
    """Approve somebody else's assessment until its review date; an older one of the activity is replaced.

    Raises:
        AssessmentRefused: the approver wrote it or is not the DPO, it waits for something else, the declaration
            changed since, or the review date is past or too far.
    """
    approver = _staff(actor)
    today = dates.today()
    if actor.role != DPO_ROLE:
        raise AssessmentRefused("The Data Protection Officer approves assessments.")
    if not today < review_on <= today + LONGEST_REVIEW:
        raise AssessmentRefused("The review date lies in the future, at most three years ahead.")
    with transaction.atomic():
        found = _take(assessment_id, AssessmentState.APPROVAL)
        if found.written_by == approver:
            raise AssessmentRefused("Nobody approves their own assessment.")
        if found.declaration_sha256 != fingerprint(_declared(found.activity)):
            raise AssessmentRefused("The declaration changed since this was written. Please write it anew.")
        Assessment.objects.filter(activity=found.activity, state=AssessmentState.APPROVED).update(
            state=AssessmentState.REPLACED
        )
        found.state, found.decided_by, found.decided_at = AssessmentState.APPROVED, approver, clock.now()
        found.review_on = review_on
        found.save()
        audit.record(actor=actor, act=Act.ASSESSMENT_APPROVED, purpose=f"{found.activity}: {found.id}")
    return found


def refuse(*, actor: Actor, assessment_id: UUID, reason: str) -> Assessment:
    """Refuse somebody else's assessment, with the reason.

    Raises:
        AssessmentRefused: the refuser wrote it or is not the DPO, there is no reason, or nothing waits.
    """
    refuser = _staff(actor)
    if actor.role != DPO_ROLE or not reason.strip():
        raise AssessmentRefused("The Data Protection Officer refuses, with a reason.")
    with transaction.atomic():
        found = _take(assessment_id, AssessmentState.ADVICE, AssessmentState.APPROVAL, AssessmentState.CONSULTATION)
        if found.written_by == refuser:
            raise AssessmentRefused("Nobody decides about their own assessment.")
        found.state, found.decided_by, found.decided_at = AssessmentState.REFUSED, refuser, clock.now()
        found.reason = reason.strip()
        found.save()
        audit.record(actor=actor, act=Act.ASSESSMENT_REFUSED, purpose=f"{found.activity}: {found.id}")
    return found


def current(declared: Activity) -> Assessment | None:
    """Return the approved assessment of an activity as it is declared now, while its review date lies ahead."""
    return Assessment.objects.filter(
        activity=declared.id,
        state=AssessmentState.APPROVED,
        declaration_sha256=fingerprint(declared),
        review_on__gt=dates.today(),
    ).first()


def missing(among: Iterable[Activity] | None = None) -> list[Activity]:
    """Return the high-risk activities without an approved, current assessment."""
    return [one for one in (among or activities()) if one.needs_dpia and current(one) is None]


def waiting_for(member: UUID, *, decides: bool) -> int:
    """Return how many assessments wait: for the officer to advise or decide on, for others to be written.

    Args:
        member: who asks; their own do not wait for them.
        decides: whether they are the Data Protection Officer.
    """
    if not decides:
        return len(missing())
    open_ones = Assessment.objects.filter(state__in=(AssessmentState.ADVICE, AssessmentState.APPROVAL))
    return open_ones.exclude(written_by=member).count()


def history() -> list[Assessment]:
    """Return every assessment, newest first."""
    return list(Assessment.objects.order_by("-written_at"))


@enforces("1.1.b")
def require_assessed(activity_id: str) -> None:
    """Pass only an activity that may run: in production a high-risk one needs its assessment.

    Raises:
        AssessmentMissing: it has none that is approved and current.
        UnknownActivity: nobody declared it.
    """
    if configuration.current().environment != "production":
        return
    declared = _declared(activity_id)
    if declared.needs_dpia and current(declared) is None:
        raise AssessmentMissing("This is switched off until its impact assessment is approved. Please come back later.")
