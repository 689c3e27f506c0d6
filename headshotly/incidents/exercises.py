"""Exercises at a table, by script, with a record (clause 8.1): one a year at least, or the clause does not hold."""

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents import cases, scripts_folder, wording
from headshotly.incidents.breaches import member_of
from headshotly.incidents.errors import NotFound, NotNow
from headshotly.incidents.models import Exercise, ExerciseAnswer
from headshotly.incidents.phases import Origin
from headshotly.incidents.scripts_folder import Piece, Script
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

EVERY = dt.timedelta(days=365)
FEWEST = 2  # people at the table


@enforces("8.1.a-b")
def begin(*, actor: Actor, script_id: str, participants: str) -> Exercise:
    """Begin an exercise; its case is marked as one everywhere, and its calls go out as exercises.

    Args:
        actor: who leads it.
        script_id: of ``scripts_folder.scripts()``.
        participants: handles, at least two.

    Raises:
        Incomplete: nobody is named.
        NotFound: there is no such script.
        NotNow: fewer than two take part, or one is being held.
    """
    script, leader = scripts_folder.script(script_id), member_of(actor)
    people = wording.checked(participants, what="Participants", longest=400)
    if len({one for one in people.replace(",", " ").split() if one}) < FEWEST:
        raise NotNow("An exercise has at least two people at the table; please name them by their handles.")
    with transaction.atomic():
        if Exercise.objects.filter(ended_at__isnull=True).exists():
            raise NotNow("An exercise is being held already; please end it first.")
        case = cases.open_case(
            actor=actor,
            title=f"Exercise: {script.title}",
            words=script.summary,
            severity=script.severity,
            origin=Origin.EXERCISE,
        )
        made = Exercise.objects.create(
            script=script.id,
            script_sha256=script.sha256,
            case=case,
            begun_at=clock.now(),
            begun_by=leader,
            participants=people,
        )
        audit.record(actor=actor, act=Act.EXERCISE_BEGUN, purpose=script.id)
    return made


def get(exercise_id: UUID) -> Exercise:
    """Return an exercise.

    Raises:
        NotFound: there is none.
    """
    found = Exercise.objects.select_related("case").filter(id=exercise_id).first()
    if found is None:
        raise NotFound("There is no such exercise.")
    return found


def answers_of(exercise: Exercise) -> list[ExerciseAnswer]:
    """Return the answers given, in order."""
    return list(ExerciseAnswer.objects.filter(exercise=exercise).order_by("position"))


def played(exercise: Exercise) -> list[tuple[Piece, ExerciseAnswer]]:
    """Return the pieces that were played, each with its answer."""
    script = scripts_folder.script(exercise.script)
    return [(script.pieces[one.position], one) for one in answers_of(exercise)]


def next_piece(exercise: Exercise) -> Piece | None:
    """Return the piece to be played now, or None where all are."""
    script: Script = scripts_folder.script(exercise.script)
    done = len(answers_of(exercise))
    return script.pieces[done] if done < len(script.pieces) else None


@enforces("8.1.a-b")
def answer(*, actor: Actor, exercise_id: UUID, position: int, words: str, met: bool) -> ExerciseAnswer:
    """Note what the table decided about the piece being played, and whether it met what a good answer holds.

    Raises:
        Incomplete: there are no words.
        NotNow: it is not this piece's turn, or the exercise is over.
    """
    text, who = wording.sentence(words, what="The answer"), member_of(actor)
    exercise = get(exercise_id)
    if exercise.ended_at is not None or next_piece(exercise) is None or len(answers_of(exercise)) != position:
        raise NotNow("It is not this piece's turn.")
    try:
        with transaction.atomic():
            return ExerciseAnswer.objects.create(
                exercise=exercise, position=position, words=text, met=met, answered_at=clock.now(), answered_by=who
            )
    except IntegrityError:
        raise NotNow("Somebody else noted the answer already.") from None


@enforces("8.1.a-b")
def end(*, actor: Actor, exercise_id: UUID, findings: str) -> Exercise:
    """End an exercise with its findings; it passed where every piece was answered, and most answers were good.

    Raises:
        Incomplete: there are no findings.
        NotNow: it is over already, or a piece was not played.
    """
    text, who = wording.sentence(findings, what="The findings"), member_of(actor)
    with transaction.atomic():
        exercise = Exercise.objects.select_for_update().filter(id=exercise_id, ended_at__isnull=True).first()
        if exercise is None:
            raise NotNow("This exercise is over, or never was.")
        if next_piece(exercise) is not None:
            raise NotNow("Please play every piece of the script first.")
        given = answers_of(exercise)
        exercise.ended_at, exercise.ended_by, exercise.findings = clock.now(), who, text
        exercise.passed = 2 * sum(one.met for one in given) > len(given)
        exercise.save(update_fields=["ended_at", "ended_by", "findings", "passed"])
        audit.record(actor=actor, act=Act.EXERCISE_ENDED, purpose=f"{exercise.script} passed: {exercise.passed}")
        case = cases.locked(exercise.case_id)
        cases.finish_exercise(case=case, actor=actor, findings=text)
    return exercise


def history() -> list[Exercise]:
    """Return every exercise, newest first."""
    return list(Exercise.objects.select_related("case").order_by("-begun_at"))


def last_passed() -> Exercise | None:
    """Return the newest exercise that was held to its end and passed."""
    return Exercise.objects.filter(passed=True).order_by("-ended_at").first()


@enforces("8.1.a-b")
def due_at() -> dt.datetime | None:
    """Return when the next exercise is due: a year after the last that passed; None where none ever did, so now."""
    last = last_passed()
    return None if last is None or last.ended_at is None else last.ended_at + EVERY


def is_due() -> bool:
    """Say whether an exercise is due now."""
    due = due_at()
    return due is None or due <= clock.now()
