"""Whom a breach must be told to, until when, and what still stands between: from facts to clocks (clause 8.3).

Nothing here is remembered: the obligations are computed from the facts whenever they are looked at, so that a fact
that changes moves the clock at once. An authority's clock starts at awareness and nothing stops it but a notice or a
decision, with reasons and an approver, that none is needed.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from headshotly.incidents import clocks
from headshotly.incidents.assessment import Risk
from headshotly.policy.enforcement import enforces

COMPLETE_WITHIN = dt.timedelta(days=30)  # house limit: phases follow “without undue further delay” (GDPR 33(4))


class Addressee(TextChoices):
    """Who may have to be told."""

    AUTHORITY = "authority", "Supervisory authority"
    PEOPLE = "people", "People affected"
    RESIDENTS = "residents", "Residents of California"
    ATTORNEY_GENERAL = "attorney-general", "Attorney General of California"


class Standing(TextChoices):
    """Where an obligation stands."""

    NOT_OWED = "not-owed", "Not owed"
    OPEN = "open", "To be done"
    LATE = "late", "Past its clock"
    PARTLY = "partly", "Begun; the rest must follow"
    DONE = "done", "Done"
    DECIDED = "decided", "Decided against, with reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a breach.

    Attributes:
        aware_at: when the controller became aware, aware UTC.
        risk: as judged; None while nobody has.
        found_high_at: when the risk was found high.
        california: whether the Californian statute applies; None while nobody has judged.
        residents: how many residents of California are concerned, unknown residence counted.
        delayed_until: until when law enforcement asked to wait; California only.
        told: when each addressee was told (the first notice).
        completed: when the notice to each was complete.
        decided: addressees that an approved decision says need not be told.
        zone: the operator's time zone.
    """

    aware_at: dt.datetime
    risk: Risk | None
    found_high_at: dt.datetime | None
    california: bool | None
    residents: int
    told: dict[Addressee, dt.datetime]
    completed: dict[Addressee, dt.datetime]
    decided: frozenset[Addressee]
    zone: ZoneInfo
    delayed_until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Obligation:
    """One duty to tell somebody.

    Attributes:
        addressee: whom.
        standing: where it stands.
        target: what the house works towards, aware UTC; None where nothing is owed.
        latest: the last lawful moment, aware UTC.
        done_at: when it was first done.
        words: why it is owed, or is not.
    """

    addressee: Addressee
    standing: Standing
    target: dt.datetime | None
    latest: dt.datetime | None
    done_at: dt.datetime | None
    words: str

    @property
    def waits(self) -> bool:
        """Say whether somebody must still do or decide something."""
        return self.standing in {Standing.OPEN, Standing.LATE, Standing.PARTLY}


@enforces("8.3.a", "8.3.b", "8.3.c")
def obligations(facts: Facts, *, now: dt.datetime) -> list[Obligation]:
    """Return every addressee with its clock and where it stands.

    Args:
        facts: the breach.
        now: aware UTC.
    """
    return [_authority(facts, now), _people(facts, now), _residents(facts, now), _attorney_general(facts, now)]


def _standing(
    facts: Facts, addressee: Addressee, latest: dt.datetime, now: dt.datetime, *, phased: bool = False
) -> Standing:
    if addressee in facts.completed:
        return Standing.DONE
    if addressee in facts.told:
        if not phased:
            return Standing.DONE
        return Standing.LATE if now > facts.told[addressee] + COMPLETE_WITHIN else Standing.PARTLY
    if addressee in facts.decided:
        return Standing.DECIDED
    return Standing.LATE if now > latest else Standing.OPEN


def _authority(facts: Facts, now: dt.datetime) -> Obligation:
    clock = clocks.authority_notice(facts.aware_at)
    words = {
        None: "the risk has not been judged; the clock runs all the same (Art. 33(1))",
        Risk.UNLIKELY: "a risk is unlikely: a decision with reasons and an approver is enough (Art. 33(1), 33(5))",
    }.get(facts.risk, "the breach may result in a risk (Art. 33(1))")
    standing = _standing(facts, Addressee.AUTHORITY, clock.legal_latest, now, phased=True)
    target, latest = clock.target, clock.legal_latest
    if standing is Standing.PARTLY:
        target = latest = facts.told[Addressee.AUTHORITY] + COMPLETE_WITHIN
        words = "begun; the rest follows without undue further delay (Art. 33(4))"
    return Obligation(Addressee.AUTHORITY, standing, target, latest, facts.told.get(Addressee.AUTHORITY), words)


def _people(facts: Facts, now: dt.datetime) -> Obligation:
    told = facts.told.get(Addressee.PEOPLE)
    if facts.risk is not Risk.HIGH or facts.found_high_at is None:
        words = "not judged yet" if facts.risk is None else "the risk is not high (Art. 34(1))"
        standing = Standing.DONE if told else Standing.NOT_OWED
        return Obligation(Addressee.PEOPLE, standing, None, None, told, words)
    by = clocks.people_told_by(facts.found_high_at)
    standing = _standing(facts, Addressee.PEOPLE, by, now)
    return Obligation(Addressee.PEOPLE, standing, by, by, told, "the risk is high (Art. 34(1))")


def _end_of(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the end of a day in a place: the first moment that is too late."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone).astimezone(dt.UTC)


def _residents(facts: Facts, now: dt.datetime) -> Obligation:
    told = facts.told.get(Addressee.RESIDENTS)
    if facts.california is not True or facts.residents == 0:
        words = {
            None: "whether the statute applies has not been judged",
            True: "nobody concerned lives in California",
        }.get(facts.california, "the statute does not apply (1798.82(h))")
        standing = Standing.DONE if told else Standing.NOT_OWED
        return Obligation(Addressee.RESIDENTS, standing, None, None, told, words)
    last = clocks.residents_told_by(facts.aware_at, operator_zone=facts.zone)
    words = f"{facts.residents} residents, or people of unknown residence (1798.82(a))"
    if facts.delayed_until is not None and facts.delayed_until > last:
        last, words = facts.delayed_until, f"{words}; law enforcement asked to wait (1798.82(c))"
    by = _end_of(last, clocks.PACIFIC)
    return Obligation(Addressee.RESIDENTS, _standing(facts, Addressee.RESIDENTS, by, now), by, by, told, words)


def _attorney_general(facts: Facts, now: dt.datetime) -> Obligation:
    told = facts.told.get(Addressee.ATTORNEY_GENERAL)
    residents_told = facts.told.get(Addressee.RESIDENTS)
    if residents_told is None or facts.california is not True:
        standing = Standing.DONE if told else Standing.NOT_OWED
        words = "its clock starts when the residents are told"
        return Obligation(Addressee.ATTORNEY_GENERAL, standing, None, None, told, words)
    day = residents_told.astimezone(clocks.PACIFIC).date()
    last = clocks.attorney_general_by(day, residents=facts.residents)
    if last is None:
        words = f"{facts.residents} residents; a copy is owed above {clocks.ATTORNEY_GENERAL_ABOVE} (1798.82(f))"
        return Obligation(Addressee.ATTORNEY_GENERAL, Standing.NOT_OWED, None, None, told, words)
    by = _end_of(last, clocks.PACIFIC)
    standing = _standing(facts, Addressee.ATTORNEY_GENERAL, by, now)
    words = f"{facts.residents} residents were told (1798.82(f))"
    return Obligation(Addressee.ATTORNEY_GENERAL, standing, by, by, told, words)
