"""The work a background worker does for this room: packing a customer's copy.

It may be run again at any moment, after a crash or beside a worker that was only slow: each run has its own mark, and
only the run whose mark stands may write.
"""

import datetime as dt
from io import BufferedReader
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, transaction
from django.tasks import task
from django.utils.translation import gettext as _

from headshotly.access.warrants import worker_warrant
from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.integrations import webhooks
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.policy.wording import speaking
from headshotly.purposes.declarations import limits
from headshotly.rights import exporting, services
from headshotly.rights.models import Export, ExportState
from headshotly.studio.tasks import Interrupted, interruption
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

WARRANT_VALID = dt.timedelta(minutes=10)
_OPEN = (ExportState.WAITING, ExportState.BUILDING)
_DOCUMENTS = 4


class _Stopped(Exception):
    """The customer left, or another run took the work over."""


@task
@permission("service:worker")
@enforces("1.2.c", "5.3.a")
def build_export(export_id: str) -> None:
    """Pack one copy and seal it.

    Args:
        export_id: the copy's id; a task's arguments hold nothing personal.

    Raises:
        Interrupted: this process was asked to end; the copy waits to be packed again.
        OperationalError: the database went away; as above.
    """
    export = _begin(UUID(export_id))
    if export is None:
        return
    try:
        _pack(export)
    except _Stopped:
        return
    except (Interrupted, OperationalError, InterfaceError):
        raise
    except Refusal:
        give_up(export_id)
    except Exception:
        give_up(export_id)
        raise


def _begin(export_id: UUID) -> Export | None:
    """Return the copy if it still wants work; it is ours from here on."""
    with transaction.atomic():
        Export.objects.filter(id=export_id, state__in=_OPEN).update(state=ExportState.BUILDING, runner=uuid4())
        found = Export.objects.filter(id=export_id, state=ExportState.BUILDING).first()
        if found is not None:
            found.steps_total = len(exporting.pictures_of(found.subject)) + _DOCUMENTS
            found.steps_done = 0
            found.save(update_fields=["steps_total", "steps_done"])
    return found


def _pack(export: Export) -> None:
    actor = Actor(kind="worker", id=export.id, role="rights")
    ours = Export.objects.filter(id=export.id, runner=export.runner, state=ExportState.BUILDING)

    def mint() -> Warrant:
        return worker_warrant(
            subject=export.subject, job_id=export.id, purpose="export", valid_for=WARRANT_VALID, role="rights"
        )

    def tell() -> None:
        if interruption.is_set():
            raise Interrupted
        export.steps_done += 1
        if not ours.update(steps_done=min(export.steps_done, export.steps_total)):
            raise _Stopped

    source = BufferedReader(exporting.Packed(exporting.files(export.subject, mint=mint, tell=tell)))
    # A crash after this line leaves a sealed copy that no row names; ``exports.expire`` removes it.
    object_id = vault.seal_stream(actor=actor, subject=export.subject, kind="export", purpose="exports", source=source)
    days = limits()["exports"].days or 1
    now = clock.now()
    with transaction.atomic():
        changed = ours.update(
            state=ExportState.READY, object_id=object_id, ready_at=now, expires_at=now + dt.timedelta(days=days)
        )
        if changed:
            audit.record(actor=actor, act=Act.EXPORT_BUILT, subject=export.subject, object_ids=[object_id])
            webhooks.announce(subject=export.subject, event=webhooks.EXPORT_READY, about=export.id, at=now)
            if export.request is not None:
                with speaking(accounts.language_of(export.subject)):
                    reply = _("Your copy is ready to download.")
                services.answer(actor=actor, request_id=export.request.id, reply=reply)
    if not changed:
        vault.destroy(actor=actor, object_id=object_id)


def give_up(export_id: str) -> None:
    """End a copy that could not be packed; the request stays open, and its clock runs for the DPO to see."""
    with transaction.atomic():
        changed = Export.objects.filter(id=UUID(export_id), state__in=_OPEN).update(state=ExportState.FAILED)
        if changed:
            found = Export.objects.get(id=UUID(export_id))
            actor = Actor(kind="worker", id=found.id, role="rights")
            audit.record(actor=actor, act=Act.EXPORT_FAILED, subject=found.subject, outcome=Outcome.FAILED)
