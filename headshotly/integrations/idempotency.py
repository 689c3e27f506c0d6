"""A request that carries an idempotency key is done once, however often it is sent within a day.

The claim is committed before the work begins and the answer after it. What was refused changed nothing, so its key is
free again. A crash in between leaves a claim without an answer; it runs out after ``CLAIM_VALID``, and the same request
may then be taken up again. Where the work is short, work and answer are one transaction (``frontdoor.api.once``), so
there a crash leaves neither. Where it is long, it makes a thing whose id the claim holds from the beginning
(``work_id``): whoever takes the request up again finds what was made and answers with it.
"""

import datetime as dt
import json
from dataclasses import asdict, dataclass, replace
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from headshotly.access.bearers import Bearer
from headshotly.access.warrants import token_warrant
from headshotly.integrations.errors import KeyBusy, KeyReused, KeyUnusable
from headshotly.integrations.models import KEPT_ANSWER, KeptAnswer
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import services as vault

KEPT_FOR = dt.timedelta(hours=24)
CLAIM_VALID = dt.timedelta(minutes=3)  # longer than the web server lets a request run
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given.

    Attributes:
        status: HTTP status.
        body: JSON text.
        location: the header, empty where there was none.
    """

    status: int
    body: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do a request now; ends with ``finish``, ``release`` or ``give_back``.

    Attributes:
        key_index: blinded key.
        holder: who does it now.
        subject: whose it is.
        work_id: the id of what it makes; the same when it is taken up again.
    """

    key_index: bytes
    holder: UUID
    subject: UUID
    work_id: UUID


def _index(what: str, value: str) -> bytes:
    return vault.blind_index(field=f"integrations.{what}", value=value)


@enforces("3.2.a")
def begin(*, bearer: Bearer, key: str, request: bytes) -> Claim | Answer:
    """Claim a request, or return how it was answered before.

    Args:
        bearer: whose token the request carried; a key belongs to one token.
        key: from the ``Idempotency-Key`` header.
        request: a hash of method, address and content.

    Raises:
        KeyUnusable: the key is none.
        KeyReused: the key stands for another request of the last day.
        KeyBusy: the same request is being worked on.
    """
    if not 0 < len(key) <= LONGEST or not all(" " <= letter <= "~" for letter in key):
        raise KeyUnusable(f"An idempotency key has 1 to {LONGEST} printable ASCII characters.")
    mine = Claim(_index("key", f"{bearer.token_id}|{key}"), uuid4(), bearer.subject, uuid4())
    asked, now = _index("request", request.hex()), clock.now()
    KeptAnswer.objects.filter(key_index=mine.key_index, begun_at__lte=now - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            KeptAnswer.objects.create(
                key_index=mine.key_index,
                subject=mine.subject,
                request_index=asked,
                holder=mine.holder,
                work_id=mine.work_id,
                begun_at=now,
            )
    except IntegrityError:
        return _known(bearer, mine, asked, now)
    return mine


def _known(bearer: Bearer, mine: Claim, asked: bytes, now: dt.datetime) -> Claim | Answer:
    found = KeptAnswer.objects.filter(key_index=mine.key_index).first()
    if found is None:  # it was released a moment ago
        raise KeyBusy("This request was being worked on a moment ago. Please send it again.")
    if bytes(found.request_index) != asked:
        raise KeyReused("This idempotency key was used for another request. Please choose a new one for this one.")
    if found.answer is not None:
        return Answer(**json.loads(found.answer.open(token_warrant(bearer=bearer, purpose="repeat-answer"))))
    # A claim whose worker died may be taken over; of two who try, one finds the holder unchanged.
    dead = KeptAnswer.objects.filter(key_index=mine.key_index, holder=found.holder, begun_at__lte=now - CLAIM_VALID)
    work_id = found.work_id or mine.work_id
    if not dead.update(holder=mine.holder, begun_at=now, work_id=work_id):
        raise KeyBusy("The same request is still being worked on. Please ask again in a moment.")
    return replace(mine, work_id=work_id)


def finish(claim: Claim, answer: Answer) -> None:
    """Keep an answer, sealed under its owner's key; where its owner left or another took over, keep nothing."""
    row = KeptAnswer.objects.filter(key_index=claim.key_index, holder=claim.holder)
    if row.exists():
        text = json.dumps(asdict(answer))
        row.update(answer=vault.seal_field(subject=claim.subject, field=KEPT_ANSWER, text=text))


def release(claim: Claim) -> None:
    """Free a key whose request changed nothing."""
    KeptAnswer.objects.filter(key_index=claim.key_index, holder=claim.holder, answer__isnull=True).delete()


def give_back(claim: Claim) -> None:
    """Let the same request be taken up again at once, where it may have been done; its key stays its own."""
    mine = KeptAnswer.objects.filter(key_index=claim.key_index, holder=claim.holder, answer__isnull=True)
    mine.update(begun_at=clock.now() - CLAIM_VALID)


def forget_old() -> int:
    """Remove what is older than a day; return how many answers went."""
    return KeptAnswer.objects.filter(begun_at__lte=clock.now() - KEPT_FOR).delete()[0]
