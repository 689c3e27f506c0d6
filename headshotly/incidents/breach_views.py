"""Pages of the breaches: which clocks run, whom it touched, how it is judged, what is told to whom, the register."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.audit import services as audit
from headshotly.audit.acts import Act
from headshotly.incidents import (
    breach_selectors,
    breaches,
    case_selectors,
    cases,
    consequences,
    data_kinds,
    forms,
    letters,
    notices,
    register,
)
from headshotly.incidents.assessment import Harm, Risk, Spread
from headshotly.incidents.breaches import GROUNDS, Circumstance
from headshotly.incidents.case_views import actor_of
from headshotly.incidents.consequences import LANGUAGES
from headshotly.incidents.errors import Incomplete
from headshotly.incidents.models import (
    AffectedPerson,
    Breach,
    Cause,
    Decision,
    Ground,
    Keys,
    Notice,
    NoticePhase,
)
from headshotly.incidents.notice_facts import PARTS
from headshotly.incidents.notices import Confirmation
from headshotly.incidents.obligations import Addressee, Standing
from headshotly.incidents.phases import Phase
from headshotly.incidents.scope import Query
from headshotly.policy import configuration
from headshotly.policy.permission import permission

_SHOWN = 200
_FORMS: dict[str, tuple[str, Callable[[], str | bytes]]] = {
    "csv": ("text/csv; charset=utf-8", register.as_csv),
    "json": ("application/json", register.as_json),
    "pdf": ("application/pdf", register.as_pdf),
}


@permission("staff:incidents.read")
@never_cache
@require_safe
def breaches_page(request: HttpRequest) -> HttpResponse:
    """Show every breach with its clocks, what waits first; or give the register as CSV, JSON or PDF."""
    form = request.GET.get("form", "")
    if form in _FORMS:
        media_type, make = _FORMS[form]
        audit.record(actor=actor_of(request), act=Act.REGISTER_EXPORTED, purpose=form)
        answer = HttpResponse(make(), content_type=media_type)
        answer["Content-Disposition"] = f'attachment; filename="register-of-breaches.{form}"'
        return answer
    lines = breach_selectors.lines()
    context = {
        "lines": lines,
        "late": len(breach_selectors.late()),
        "approvals": breach_selectors.approvals_waiting(),
        "zone": configuration.current().operator.time_zone,
    }
    return render(request, "incidents/breaches.html", context)


def _decisions(breach: Breach, me: UUID) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "whom": Addressee(row.addressee).label,
            "by": case_selectors.handle_of(row.proposed_by),
            "approver": case_selectors.handle_of(row.approved_by),
            "mine": row.proposed_by == me,
        }
        for row in Decision.objects.filter(breach=breach).order_by("-proposed_at")
    ]


def _notices(breach: Breach) -> list[dict[str, Any]]:
    found = []
    for row in breach_selectors.notices_of(breach):
        by_letter = Addressee(row.addressee) in notices.BY_LETTER
        found.append(
            {
                "row": row,
                "whom": Addressee(row.addressee).label,
                "by_letter": by_letter,
                "letters": letters.progress(row) if by_letter else {},
                "failed": letters.failed_of(row) if by_letter else [],
                "languages": ("en",) if row.addressee in {"residents", "attorney-general"} else LANGUAGES,
            }
        )
    return found


def _drafts(breach: Breach) -> list[dict[str, Any]]:
    phases = {Addressee.AUTHORITY: tuple(NoticePhase)}
    standing = {one.addressee: one.standing for one in breach_selectors.obligations_of(breach)}
    found = []
    for one in Addressee:
        phase = phases.get(one, (NoticePhase.COMPLETE,))
        drafted = {each: notices.draft(breach, one, phase=each) for each in phase}
        found.append(
            {
                "addressee": one,
                "phases": [(each, made.missing) for each, made in drafted.items()],
                "missing": drafted[NoticePhase.COMPLETE].missing,
                "owed": one is Addressee.AUTHORITY or standing[one] is not Standing.NOT_OWED,
                "languages": LANGUAGES if one in {Addressee.AUTHORITY, Addressee.PEOPLE} else ("en",),
            }
        )
    return found


def _choices() -> dict[str, Any]:
    return {
        "causes": Cause.choices,
        "spreads": Spread.choices,
        "harms": Harm.choices,
        "keys_choices": Keys.choices,
        "risks": Risk.choices,
        "grounds": [
            (whom.value, whom.label, ground.value, ground.label)
            for whom, allowed in GROUNDS.items()
            for ground in Ground
            if ground in allowed
        ],
        "all_consequences": [(code, both.en) for code, both in consequences.CONSEQUENCES.items()],
        "all_kinds": [(kind.id, kind.en) for kind in data_kinds.KINDS.values()],
        "parts": PARTS.items(),
    }


@permission("staff:incidents.read")
@never_cache
@require_safe
def breach_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show one breach, or the form that records it."""
    case, member = cases.get(number), member_of(request)
    held = members.rights_of(member)
    breach = Breach.objects.select_related("case").filter(case=case).first()
    context = {
        "case": case,
        "breach": breach,
        "live": Phase(case.phase) is not Phase.CLOSED,
        "may_write": "breaches.write" in held,
        "may_approve": "breaches.approve" in held,
        "may_send": "breaches.send" in held,
        "zone": configuration.current().operator.time_zone,
        **_choices(),
    }
    if breach is not None:
        judged = breach_selectors.judgements(breach)
        people = AffectedPerson.objects.filter(breach=breach).order_by("first_at", "subject")
        context |= {
            "owed": breach_selectors.obligations_of(breach),
            "proposal": breaches.proposal(breach),
            "judgements": [
                (one, case_selectors.handle_of(one.judged_by), breach_selectors.effective(one)) for one in judged
            ],
            "unagreed": judged[-1] if judged and breach_selectors.effective(judged[-1]) != judged[-1].risk else None,
            "california": breach_selectors.californian(breach),
            "residents": breach_selectors.residents_of(breach),
            "people": people[:_SHOWN],
            "kinds": data_kinds.in_words(set(breach.kinds), "en"),
            "decisions": _decisions(breach, member.id),
            "notices": _notices(breach),
            "drafts": _drafts(breach),
            "words": [
                (part, label, breach.words.get(part, {}).get("en", ""), breach.words.get(part, {}).get("pl", ""))
                for part, label in PARTS.items()
            ],
            "me": member.id,
        }
    return render(request, "incidents/breach.html", context)


def _known(request: HttpRequest) -> Circumstance:
    return Circumstance(
        aware_at=forms.moment(request, "aware_at"),
        began_at=forms.moment_or_none(request, "began_at"),
        ended_at=forms.moment_or_none(request, "ended_at"),
        cause=forms.choice(request, "cause", Cause),
        spread=forms.choice(request, "spread", Spread),
        integrity=forms.choice(request, "integrity", Harm),
        availability=forms.choice(request, "availability", Harm),
        malicious=forms.ticked(request, "malicious"),
        vulnerable=forms.ticked(request, "vulnerable"),
        opened=forms.ticked(request, "opened"),
        consequences=tuple(request.POST.getlist("consequences")),
        states=tuple(forms.text(request, "states").replace(",", " ").split()),
    )


@permission("staff:breaches.write")
@require_POST
@needs_proof
def breach_record(request: HttpRequest, number: int) -> HttpResponse:
    """Record a breach, or state anew what is known of it."""
    actor, known = actor_of(request), _known(request)
    if forms.text(request, "what") == "restate":
        breaches.restate(actor=actor, number=number, known=known, because=forms.text(request, "because"))
    else:
        breaches.record(actor=actor, number=number, known=known)
    return redirect("incidents:breach", number=number)


def _query(request: HttpRequest) -> Query:
    kinds = frozenset(request.POST.getlist("actor_kinds"))
    try:
        return Query(
            since=forms.moment(request, "since"),
            until=forms.moment(request, "until"),
            actors=forms.ids(request, "actors"),
            actor_kinds=kinds,
            warrants=forms.ids(request, "warrants"),
            grants=forms.ids(request, "grants"),
            subjects=forms.ids(request, "subjects"),
            everything=forms.ticked(request, "everything"),
        )
    except ValueError as error:
        raise Incomplete(f"The query cannot be asked: {error}.") from None


@permission("staff:breaches.write")
@require_POST
@needs_proof
def breach_scope(request: HttpRequest, number: int) -> HttpResponse:
    """Find out whom a breach touched: from the journal, by list, or everybody."""
    actor, kinds = actor_of(request), frozenset(request.POST.getlist("kinds"))
    match forms.text(request, "what"):
        case "journal":
            found = breaches.scope_from_journal(actor=actor, number=number, query=_query(request))
            messages.success(request, f"{len(found.people)} people, {found.openings} openings.")
        case "everybody":
            breaches.scope_everybody(actor=actor, number=number, kinds=kinds, because=forms.text(request, "because"))
        case "listed":
            breaches.scope_listed(
                actor=actor,
                number=number,
                subjects=forms.ids(request, "subjects"),
                kinds=kinds,
                because=forms.text(request, "because"),
            )
        case _:
            raise Incomplete("Please choose how to find them.")
    return redirect("incidents:breach", number=number)


@permission("staff:breaches.write")
@require_POST
@needs_proof
def breach_step(request: HttpRequest, number: int) -> HttpResponse:
    """Take one step with a breach."""
    actor, because = actor_of(request), forms.text(request, "because")
    match forms.text(request, "what"):
        case "keys":
            keys = forms.choice(request, "keys", Keys)
            breaches.state_keys(actor=actor, number=number, keys=keys, because=because)
        case "judge":
            breaches.judge(actor=actor, number=number, risk=forms.choice(request, "risk", Risk), because=because)
        case "words":
            words = {part: {lang: forms.text(request, f"{part}-{lang}") for lang in LANGUAGES} for part in PARTS}
            operator = configuration.current().operator
            house = (operator.privacy_email, operator.security_email)
            breaches.say(actor=actor, number=number, words=words, house=house)
        case "late":
            breaches.excuse_delay(actor=actor, number=number, because=because)
        case "residents":
            count = forms.number(request, "residents")
            breaches.state_residents(actor=actor, number=number, residents=count, because=because)
        case "delay":
            until: dt.date = forms.day(request, "until")
            breaches.delay_for_law_enforcement(actor=actor, number=number, until=until, because=because)
        case "not-to-tell":
            whom, _, ground = forms.text(request, "ground").partition(":")
            if whom not in Addressee.values or ground not in Ground.values:
                raise Incomplete("Please choose from the list.")
            breaches.propose_not_to_tell(
                actor=actor,
                number=number,
                addressee=Addressee(whom),
                ground=Ground(ground),
                because=because,
                public_notice=forms.text(request, "public_notice"),
            )
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("incidents:breach", number=number)


@permission("staff:breaches.approve")
@require_POST
@needs_proof
def breach_approve(request: HttpRequest, number: int) -> HttpResponse:
    """Approve or end somebody else's decision, or agree to their milder judgement."""
    actor = actor_of(request)
    match forms.text(request, "what"):
        case "approve":
            breaches.approve(actor=actor, decision_id=forms.one_id(request, "decision"))
        case "end":
            decision, because = forms.one_id(request, "decision"), forms.text(request, "because")
            breaches.end_decision(actor=actor, decision_id=decision, because=because)
        case "agree":
            breaches.agree(actor=actor, judgement_id=forms.one_id(request, "judgement"))
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("incidents:breach", number=number)


@permission("staff:breaches.send")
@require_POST
@needs_proof
def breach_send(request: HttpRequest, number: int) -> HttpResponse:
    """Release a notice, record that it was sent, or that somebody was told another way."""
    actor = actor_of(request)
    match forms.text(request, "what"):
        case "release":
            row = notices.release(
                actor=actor,
                number=number,
                addressee=forms.choice(request, "addressee", Addressee),
                phase=forms.choice(request, "phase", NoticePhase),
                more_follows=forms.ticked(request, "more_follows"),
            )
            if Addressee(row.addressee) not in notices.BY_LETTER:
                notices.mail_to_officer(row)
                messages.success(request, "Released. It was mailed to the DPO's mailbox, to be sent from there.")
            else:
                messages.success(request, "Released. The letters go out by themselves.")
        case "sent":
            paper = request.FILES.get("confirmation")
            notices.record_sent(
                actor=actor,
                notice_id=forms.one_id(request, "notice"),
                how=forms.text(request, "how"),
                receipt=forms.text(request, "receipt"),
                sent_at=forms.moment_or_none(request, "sent_at"),
                confirmation=Confirmation(paper.read(), paper.content_type or "") if paper is not None else None,
            )
        case "told":
            letter, how = forms.one_id(request, "letter"), forms.text(request, "how")
            letters.record_told_otherwise(actor=actor, letter_id=letter, how=how)
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("incidents:breach", number=number)


def _pdf(data: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def _language(request: HttpRequest) -> str:
    wanted = request.GET.get("language", "en")
    return wanted if wanted in LANGUAGES else "en"


@permission("staff:incidents.read")
@never_cache
@require_safe
def notice_draft(request: HttpRequest, number: int, addressee: str) -> HttpResponse:
    """Show a notice as it would be released now."""
    if addressee not in Addressee.values:
        raise Incomplete("There is no such notice.")
    phase = request.GET.get("phase", "")
    chosen = NoticePhase(phase) if phase in NoticePhase.values else NoticePhase.COMPLETE
    breach = breaches.of_case(number)
    drafted = notices.draft(breach, Addressee(addressee), phase=chosen)
    language = _language(request)
    return _pdf(notices.draft_pdf(breach, drafted, language=language), f"draft-{breach.case.reference}-{addressee}")


@permission("staff:incidents.read")
@never_cache
@require_safe
def notice_pdf(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Show a released notice."""
    row: Notice = notices.get(notice_id)
    return _pdf(
        notices.pdf_of(row, language=_language(request)), f"{row.breach.case.reference}-{row.addressee}-{row.number}"
    )
