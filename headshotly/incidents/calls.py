"""Calling whoever is on call: queued in the case's own transaction, handed over one by one, resumed after any crash.

Options: ``oncall.chat`` (address of a chat's webhook) with ``oncall.chat_form`` (slack, teams); ``oncall.pager``
(address of the events API) with ``oncall.pager_key``. A channel without an address is not used; mail always is.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from headshotly.access import members
from headshotly.access.errors import NotFound as NoSuchMember
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.incidents import escalation, messages, oncall, timeline
from headshotly.incidents.escalation import Channel, Duty, News, Step
from headshotly.incidents.models import Call, CallState, Case, TimelineKind
from headshotly.incidents.phases import Phase, Severity
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import mail, webhooks

ATTEMPTS_MAX = 8
PAUSE = dt.timedelta(seconds=30)  # doubled each time: about an hour in all
CLAIMED_FOR = dt.timedelta(minutes=2)
_BATCH = 100


def channels() -> frozenset[Channel]:
    """Return the channels this installation has an address for."""
    options = configuration.current().options
    found = {Channel.MAIL}
    if options.get("oncall.chat"):
        found.add(Channel.WEBHOOK)
    if options.get("oncall.pager") and options.get("oncall.pager_key"):
        found.add(Channel.PAGER)
    return frozenset(found)


@enforces("8.1.a-b")
def queue_reached(case: Case, *, now: dt.datetime) -> int:
    """Queue the calls of every step that a case has reached and that was not queued yet; return how many.

    Each step is queued once, however often this is asked; the timeline says so.
    """
    steps = escalation.reached(
        severity=Severity(case.severity), since=case.ladder_at, acknowledged_at=case.acknowledged_at, now=now
    )
    called = Call.objects.filter(case=case, severity=case.severity, news=News.NEEDED)
    done = set(called.values_list("step", flat=True))
    queued = 0
    for step in steps:
        if step.number in done:
            continue
        with transaction.atomic():
            rows = list(_rows(case, step, now))
            queued += len(Call.objects.bulk_create(rows, ignore_conflicts=True))
            words = f"Step {step.number}, called: {', '.join(duty.label.lower() for duty in step.duties)}."
            timeline.write(actor=SYSTEM, case=case, kind=TimelineKind.ESCALATED, words=words, act=Act.CASE_ESCALATED)
    return queued


def _rows(case: Case, step: Step, now: dt.datetime) -> Iterable[Call]:
    """Yield the calls of a step: a mail to each duty, one message to the chat, one to the pager."""
    open_ = channels()
    for channel in step.channels:
        if channel not in open_:
            continue
        for duty in step.duties if channel is Channel.MAIL else step.duties[:1]:
            yield Call(
                case=case,
                severity=case.severity,
                step=step.number,
                duty=duty,
                channel=channel,
                holder=oncall.holder(duty, now),
                next_at=now,
            )


@enforces("8.1.a-b")
def tell_pager(case: Case, news: News, *, now: dt.datetime) -> None:
    """Queue the news that stops or ends a case's page, in the transaction of what it tells; nothing without a page.

    Pages that were not handed over yet are withdrawn: nobody is woken for what somebody took. One that is being handed
    over, or was and reported failure, may still arrive, so the news goes in any case, and after it.
    """
    pages = Call.objects.filter(case=case, channel=Channel.PAGER)
    if not pages.filter(news=News.NEEDED).exists() or pages.filter(news=news).exists():
        return
    pages.filter(news=News.NEEDED, state=CallState.QUEUED).update(state=CallState.WITHDRAWN)
    Call.objects.create(
        case=case,
        severity=case.severity,
        step=0,
        duty=Duty.FIRST,
        channel=Channel.PAGER,
        news=news,
        holder=case.owner,
        next_at=now,
    )


def escalate() -> int:
    """Queue what every case that nobody has taken has reached; return how many calls were queued."""
    now = clock.now()
    waiting = Case.objects.filter(acknowledged_at__isnull=True).exclude(phase=Phase.CLOSED).order_by("number")
    return sum(queue_reached(case, now=now) for case in waiting)


@enforces("8.1.a-b")
def send_due() -> int:
    """Hand over the calls that are due, and those that a crash left in between; return how many were handed over."""
    now, sent = clock.now(), 0
    with transaction.atomic():
        due = Q(state=CallState.QUEUED) | Q(state=CallState.SENDING)
        ids = list(
            Call.objects.select_for_update()
            .filter(due, next_at__lte=now)
            .order_by("next_at")
            .values_list("id", flat=True)[:_BATCH]
        )
        # A crash after this line leaves calls marked; they are due again when the claim runs out.
        Call.objects.filter(id__in=ids).update(state=CallState.SENDING, next_at=now + CLAIMED_FOR)
    for call in sorted(Call.objects.select_related("case").filter(id__in=ids), key=_in_turn):
        sent += _hand_over(call)
    return sent


def _in_turn(call: Call) -> tuple[int, int]:
    return list(News).index(News(call.news)), call.step


def _must_wait(call: Call) -> bool:
    """Say whether something that must arrive before this news is still on its way."""
    if call.news == News.NEEDED:
        return False
    before = [News.NEEDED] if call.news == News.TAKEN else [News.NEEDED, News.TAKEN]
    on_its_way = Q(state=CallState.SENDING) | Q(state=CallState.QUEUED)
    return Call.objects.filter(on_its_way, case=call.case, channel=call.channel, news__in=before).exists()


def _hand_over(call: Call) -> int:
    if _must_wait(call):
        Call.objects.filter(id=call.id).update(state=CallState.QUEUED, next_at=clock.now() + PAUSE)
        return 0
    try:
        _speak(call)
    except Refusal as refusal:
        _again(call, refusal.code)
        return 0
    Call.objects.filter(id=call.id).update(
        state=CallState.SENT, sent_at=clock.now(), attempts=call.attempts + 1, trouble=""
    )
    return 1


def _again(call: Call, why: str) -> None:
    attempts = call.attempts + 1
    over = attempts >= ATTEMPTS_MAX
    with transaction.atomic():
        Call.objects.filter(id=call.id).update(
            state=CallState.FAILED if over else CallState.QUEUED,
            attempts=attempts,
            next_at=clock.now() + PAUSE * 2 ** (attempts - 1),
            trouble=why[:80],
        )
        if over:
            purpose = f"{call.channel} {why}"
            audit.record(actor=SYSTEM, act=Act.CALL_FAILED, purpose=purpose, outcome=Outcome.FAILED)


def summons_of(call: Call) -> messages.Summons:
    """Return what a call says."""
    case = call.case
    handle = ""
    if call.holder is not None:
        try:
            handle = members.by_id(call.holder).handle
        except NoSuchMember:
            handle = ""
    return messages.Summons(
        reference=case.reference,
        severity=Severity(case.severity),
        title=case.title,
        url=f"{configuration.current().public_url}/staff/incidents/cases/{case.number}/",
        step=call.step,
        on_call=handle,
        exercise=case.is_exercise,
    )


def _speak(call: Call) -> None:
    """Hand one call over to its channel, under the call's own id.

    Raises:
        Refusal: it was not handed over; trying again is safe.
    """
    summons, options = summons_of(call), configuration.current().options
    match Channel(call.channel):
        case Channel.MAIL:
            to = oncall.mailbox(Duty(call.duty), call.holder)
            mail.send(to=to, subject=summons.headline, text=summons.text, about=call.holder, once=call.id)
        case Channel.WEBHOOK:
            form = messages.FORMS[options.get("oncall.chat_form", "slack")]
            webhooks.post(options["oncall.chat"], form(summons), once=call.id)
        case Channel.PAGER:
            webhooks.post(options["oncall.pager"], _event(call, summons, options["oncall.pager_key"]), once=call.id)


def _event(call: Call, summons: messages.Summons, key: str) -> dict[str, Any]:
    match News(call.news):
        case News.NEEDED:
            return messages.pager(summons, routing_key=key, once=call.id)
        case News.TAKEN:
            return messages.pager_news(summons, routing_key=key, action="acknowledge")
        case News.OVER:
            return messages.pager_news(summons, routing_key=key, action="resolve")


def of(case: Case) -> list[Call]:
    """Return a case's calls, oldest step first."""
    return list(Call.objects.filter(case=case).order_by("severity", "step", "channel", "next_at"))
