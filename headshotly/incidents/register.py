"""The register of every breach, told or not (GDPR Art. 33(5)): facts, effects, remedy, and each decision's reasons."""

import csv
import io
import json
from typing import Any

from headshotly.incidents import breach_selectors, consequences, data_kinds
from headshotly.incidents.models import Breach, Cause, Decision, Judgement, Keys
from headshotly.incidents.obligations import Addressee
from headshotly.incidents.phases import Phase
from headshotly.policy import clock, configuration
from headshotly.policy.documents import Document, Part, Text, render_pdf
from headshotly.policy.enforcement import enforces

COLUMNS = (
    "reference", "recorded", "aware", "began", "ended", "cause", "what happened", "kinds of data", "people", "records",
    "consequences", "keys", "risk", "reasons", "measures taken", "measures proposed", "obligations", "notices",
    "decisions not to tell", "scope", "journal", "case",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _moment(value: Any) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def _decision(row: Decision) -> str:
    standing = "approved" if row.approved_at else "waits for approval"
    if row.ended_at:
        standing = f"ended {_moment(row.ended_at)}: {row.ended_because}"
    people = f"proposed {_moment(row.proposed_at)} by {row.proposed_by}"
    if row.approved_at:
        people += f", approved {_moment(row.approved_at)} by {row.approved_by}"
    public = f", public notice {row.public_notice}" if row.public_notice else ""
    whom = Addressee(row.addressee).label
    return f"{whom}: {row.get_ground_display()}. {row.because} ({standing}; {people}{public})"


def _judgement(row: Judgement) -> str:
    agreed = f", agreed {_moment(row.agreed_at)} by {row.agreed_by}" if row.agreed_at else ""
    return f"{_moment(row.judged_at)} by {row.judged_by}{agreed}: {row.because} Method: {' '.join(row.reasons)}"


def _scope(breach: Breach) -> str:
    if breach.scoped_at is None:
        return "not found out yet"
    if breach.scope.get("listed"):
        return f"by list: {breach.scope['because']}"
    conditions = {key: value for key, value in breach.scope.items() if value}
    return f"journal query {json.dumps(conditions, sort_keys=True)}"


def _journal(breach: Breach) -> str:
    if breach.journal_verified is None:
        return ""
    return f"{breach.journal_size} entries, {'verified' if breach.journal_verified else 'DAMAGED'}"


def row_of(breach: Breach) -> dict[str, str]:
    """Return one breach as the register shows it, every cell in words."""
    judged = breach_selectors.judgements(breach)
    risk = breach_selectors.risk_of(breach)
    words = breach.words
    decisions = Decision.objects.filter(breach=breach).order_by("proposed_at")
    notices = breach_selectors.notices_of(breach)
    return {
        "reference": breach.case.reference,
        "recorded": _moment(breach.recorded_at),
        "aware": _moment(breach.aware_at),
        "began": _moment(breach.began_at),
        "ended": _moment(breach.ended_at),
        "cause": Cause(breach.cause).label,
        "what happened": words.get("nature", {}).get("en", ""),
        "kinds of data": ", ".join(data_kinds.in_words(set(breach.kinds), "en")),
        "people": str(breach.people),
        "records": str(breach.records),
        "consequences": ", ".join(consequences.in_words(list(breach.consequences), "en")),
        "keys": f"{Keys(breach.keys).label}. {breach.keys_because}".strip(),
        "risk": "not judged" if risk is None else risk.label,
        "reasons": " | ".join(_judgement(one) for one in judged),
        "measures taken": words.get("taken", {}).get("en", ""),
        "measures proposed": words.get("proposed", {}).get("en", ""),
        "obligations": " | ".join(
            f"{one.addressee.label}: {one.standing.label}, {one.words}"
            for one in breach_selectors.obligations_of(breach)
        ),
        "notices": " | ".join(
            f"{Addressee(one.addressee).label} {one.number}: {one.phase}, sent {_moment(one.sent_at) or 'not yet'}, "
            f"{one.receipt or one.sent_how or '-'}"
            for one in notices
        ),
        "decisions not to tell": " | ".join(_decision(one) for one in decisions),
        "scope": _scope(breach),
        "journal": _journal(breach),
        "case": Phase(breach.case.phase).label,
    }


@enforces("8.3.a")
def rows() -> list[dict[str, str]]:
    """Return every breach, oldest first; exercises are none."""
    found = Breach.objects.select_related("case").exclude(case__origin="exercise").order_by("recorded_at")
    return [row_of(breach) for breach in found]


def as_csv() -> str:
    """Return the register as CSV (RFC 4180); a cell that a spreadsheet would take for a formula is disarmed."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=COLUMNS)
    writer.writeheader()
    for row in rows():
        writer.writerow({key: f"'{value}" if value.startswith(_FORMULA) else value for key, value in row.items()})
    return out.getvalue()


def as_json() -> str:
    """Return the register as JSON with its controller and date."""
    operator = configuration.current().operator
    document = {
        "controller": {"name": operator.name, "address": operator.postal_address, "contact": operator.privacy_email},
        "made_at": clock.now().isoformat(timespec="seconds"),
        "breaches": rows(),
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_pdf() -> bytes:
    """Return the register as pages."""
    operator = configuration.current().operator
    parts = tuple(
        Part(row["reference"], tuple(Text(f"{name}: {value}") for name, value in row.items() if value))
        for row in rows()
    ) or (Part("No breach", (Text("No breach of personal data has been recorded."),)),)
    lead = (f"{operator.name}, {operator.postal_address}", f"{clock.now():%Y-%m-%d}")
    return render_pdf(
        Document(title="Register of personal data breaches (GDPR Art. 33(5))", parts=parts, lead=lead, type_points=9),
        operator=operator,
    )
