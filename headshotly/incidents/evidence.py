"""Evidence: sealed in the vault under the case's own key, its hash beside it and in the journal."""

import hashlib
import json
import re
from typing import Any
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.selectors import latest_head, proofs_of_subject
from headshotly.incidents import cases, selectors, timeline, wording
from headshotly.incidents.errors import EvidenceAltered, Incomplete, NotFound
from headshotly.incidents.models import CaseAlert, Evidence, TimelineKind
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault
from headshotly.vault.errors import ObjectDamaged, ObjectMissing
from headshotly.vault.warrant import Warrant

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,60}")


@enforces("8.1.a-b")
def add(*, actor: Actor, number: int, title: str, data: bytes, media_type: str = "") -> Evidence:
    """Keep a piece of evidence, sealed.

    The bytes are sealed first: a crash before the row leaves an object that no row names, which the vault sweeps up.

    Args:
        actor: who adds it.
        number: of the case.
        title: what it is, pseudonyms only.
        data: its bytes.
        media_type: as said by whoever brought it; kept, never trusted.

    Raises:
        Incomplete: it is empty, too large, or has no title.
        NotFound: there is no such case.
        NotNow: it is closed.
        StoreFull: there is no room; nothing is kept.
    """
    name = wording.checked(title, what="Title", longest=160)
    most = configuration.current().photo_bytes_max
    if not 0 < len(data) <= most:
        raise Incomplete(f"A piece of evidence holds something, and at most {most >> 20} MB.")
    case = cases.get(number)
    vault.create_customer_key(actor=actor, subject=case.key)
    with transaction.atomic():
        case = cases.locked(number)
        object_id = vault.seal(actor=actor, subject=case.key, kind="evidence", purpose="incidents", plaintext=data)
        row = Evidence.objects.create(
            case=case,
            title=name,
            media_type=media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            object_id=object_id,
            added_at=clock.now(),
            added_by=actor.id if actor.kind == "staff" else None,
        )
        words = f"{name}: {row.size} bytes, SHA-256 {row.sha256}"
        timeline.write(actor=actor, case=case, kind=TimelineKind.EVIDENCE, words=words, act=Act.EVIDENCE_ADDED)
    return row


def add_alerts(*, actor: Actor, number: int) -> Evidence:
    """Keep the case's alerts with the events behind them, before their own time limit removes them.

    Raises:
        NotFound: the case has no alerts.
    """
    linked = CaseAlert.objects.select_related("alert").filter(case_id=number).order_by("added_at")
    if not linked:
        raise NotFound("This case has no alerts.")
    document = [
        {
            "alert": str(one.alert.id),
            "rule": one.alert.rule,
            "author": one.alert.author,
            "level": one.alert.level,
            "sentence": one.alert.sentence,
            "hits": one.alert.hits,
            "events": [
                {"id": event.id, "ocsf": event.ocsf, "raw": bytes(event.raw).decode("utf-8", "replace")}
                for event in selectors.events_of(one.alert)
            ],
        }
        for one in linked
    ]
    return add(
        actor=actor, number=number, title="Alerts and their events", data=_json(document), media_type="application/json"
    )


def add_journal(*, actor: Actor, number: int, subject: UUID) -> Evidence:
    """Keep the journal's entries about somebody, each with its proof, and the signed head they are proven against."""
    document = {"head": latest_head(), "subject": str(subject), "openings": proofs_of_subject(subject)}
    title = f"The journal about {subject}"
    return add(actor=actor, number=number, title=title, data=_json(document), media_type="application/json")


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n").encode()


def of(number: int) -> list[Evidence]:
    """Return a case's evidence, oldest first."""
    return list(Evidence.objects.filter(case_id=number).order_by("added_at"))


@enforces("8.1.a-b", "5.3.a")
def read(*, actor: Actor, number: int, evidence_id: UUID, warrant: Warrant) -> tuple[Evidence, bytes]:
    """Return a piece of evidence, after the journal says who opened it and its hash was compared.

    Raises:
        NotFound: there is none of this id in this case.
        EvidenceAltered: it is not what was put there; what is wrong is said, nothing is shown.
        WarrantRefused: the warrant is not for this case.
    """
    row = Evidence.objects.select_related("case").filter(id=evidence_id, case_id=number).first()
    if row is None:
        raise NotFound("There is no such evidence.")
    try:
        data = vault.open(object_id=row.object_id, warrant=warrant)
    except (ObjectDamaged, ObjectMissing) as error:
        raise EvidenceAltered("This evidence was changed or removed where it is stored.") from error
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise EvidenceAltered("This evidence does not match the hash it was recorded with.")
    audit.record(actor=actor, act=Act.EVIDENCE_READ, subject=row.case.key, purpose=f"evidence {row.id}")
    return row, data
