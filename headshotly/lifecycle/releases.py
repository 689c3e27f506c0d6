"""Releases: who wrote a commit, who reviewed it, which gates ran on it (clauses 4.1.a and 4.2.a)."""

import hashlib
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.access import members
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.lifecycle import bounded
from headshotly.lifecycle.errors import DocumentRefused, Incomplete, NotFound, StepRefused
from headshotly.lifecycle.models import Release
from headshotly.lifecycle.services import by_staff, require_reason
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

# What ``setup/gates.sh`` and ``.ci/run`` call their gates. A record that lacks one is no record of all gates.
GATES = frozenset(
    {
        "style", "format", "types", "doors", "security of the code", "rules of our own", "dependency audit",
        "secrets", "bill of materials", "licences", "infrastructure", "DAST", "tests on PostgreSQL",
        "tests and journeys on SQLite",
    }
)  # fmt: skip
_SAID = frozenset({"PASS", "FAIL", "ERROR", "NOT RUN"})
_MOST_GATES = 100


def missing_gates(gates: dict[str, str]) -> list[str]:
    """Return which gates a record lacks, or that did not pass, by name."""
    return sorted(name for name in GATES | set(gates) if gates.get(name) != "PASS")


def _locked(release_id: UUID) -> Release:
    found = Release.objects.select_for_update().filter(id=release_id).first()
    if found is None:
        raise NotFound("There is no such release.")
    return found


@enforces("4.1.a", "4.2.a")
def record(*, actor: Actor, version: str, author_id: UUID, gates: bytes) -> Release:
    """Enter a commit that is to be released, with the record that the gates left about it.

    Args:
        actor: who enters it.
        version: what customers will call it.
        author_id: the member who wrote it.
        gates: ``build/gates.json``, as ``.ci/run`` left it.

    Raises:
        Incomplete: there is no version.
        DocumentRefused: the record is none, or the tree was changed when the gates ran.
        StepRefused: this commit is entered already.
        NotFound: there is no such member.
    """
    author, name = members.by_id(author_id), version.strip()
    if not 0 < len(name) <= 40:  # noqa: PLR2004 - the column's length
        raise Incomplete("Please give the release a version of at most 40 characters.")
    said = bounded.read_object(gates)
    commit, ran = bounded.commit(bounded.text(said, "commit", longest=100)), bounded.moment(bounded.text(said, "at"))
    named = bounded.table(said, "gates")
    if not commit or ran is None or not named or said.get("changed") is not False:
        raise DocumentRefused(
            "The record of the gates must name a commit without changes, when they ran, and each gate."
        )
    if len(named) > _MOST_GATES or not all(value in _SAID for value in named.values()):
        raise DocumentRefused("The record of the gates says something else than PASS, FAIL, ERROR or NOT RUN.")
    if ran > clock.now():
        raise DocumentRefused("The gates are said to have run in the future: a clock is or was wrong.")
    try:
        with transaction.atomic():
            made = Release.objects.create(
                version=name,
                commit=commit,
                author=author,
                recorded_at=clock.now(),
                gates={bounded.clean(gate, longest=80): value for gate, value in named.items()},
                gates_at=ran,
                gates_sha256=hashlib.sha256(gates).hexdigest(),
            )
            audit.record(actor=actor, act=Act.RELEASE_RECORDED, purpose=commit)
    except IntegrityError as error:
        raise StepRefused("This commit is entered already.") from error
    return made


@enforces("4.2.a")
def review(*, actor: Actor, release_id: UUID, words: str) -> None:
    """Record that one reviewed a release; the review is one's own act, and nobody reviews what they wrote.

    Args:
        actor: the reviewer, signed in.
        release_id: which.
        words: what was looked at, and what was found.

    Raises:
        NotFound: there is no such release.
        StepRefused: one wrote it, or it is reviewed already.
        Incomplete: there are no words.
    """
    reviewer, said = members.by_id(by_staff(actor)), require_reason(words)
    with transaction.atomic():
        release = _locked(release_id)
        if release.author_id == reviewer.id:
            raise StepRefused("Somebody other than its author reviews a release.")
        if release.reviewer_id is not None:
            raise StepRefused("This release is reviewed already.")
        release.reviewer, release.reviewed_at, release.review_words = reviewer, clock.now(), said
        release.save()
        audit.record(actor=actor, act=Act.RELEASE_REVIEWED, purpose=release.commit)


@enforces("4.1.a", "4.2.a")
def release(*, actor: Actor, release_id: UUID) -> None:
    """Let a release go to customers: only reviewed, and only where every gate passed on exactly this commit.

    Raises:
        NotFound: there is no such release.
        StepRefused: it is not reviewed, a gate did not pass, or it went out already.
    """
    by = by_staff(actor)
    with transaction.atomic():
        found = _locked(release_id)
        if found.released_at is not None:
            raise StepRefused("This release went out already.")
        if found.reviewer_id is None:
            raise StepRefused("Nobody has reviewed this release yet.")
        missing = missing_gates(found.gates)
        if missing:
            raise StepRefused(f"These gates did not pass on this commit: {', '.join(missing)}.")
        found.released_at, found.released_by = clock.now(), by
        found.save()
        audit.record(actor=actor, act=Act.RELEASE_MADE, purpose=found.commit)
