"""Exactly who was touched by a breach, and by what: computed from the journal's leaves, nothing else (clause 8.3.b).

Decrypting and journalling are one operation, so what the journal does not show was not opened through the software.
Pure: leaves and the kinds of objects come in, people come out.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from headshotly.audit.acts import Act, Outcome
from headshotly.audit.leaf import Leaf
from headshotly.incidents.data_kinds import OF_FIELD
from headshotly.policy.enforcement import enforces

OPENINGS = frozenset({Act.OBJECT_OPENED, Act.FIELD_OPENED})
# Acts on keys, or in places where keys can be reached.
KEY_ACTS = frozenset({Act.ROOT_ROTATED, Act.BACKUP_ROOT_ROTATED, Act.KEY_SHREDDED})
_GRANT_ACTS = frozenset({Act.GRANT_USED, Act.GLASS_BROKEN})
_KEY_SCOPES = ("act:rotate-keys", "act:database", "act:restore")
READ = OPENINGS | KEY_ACTS | _GRANT_ACTS

type KindOf = Callable[[UUID], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which openings belong to the breach. Conditions of one kind are alternatives, of several kinds all must hold.

    Attributes:
        since: from when, aware UTC.
        until: until when, not included.
        actors: pseudonyms of whoever opened.
        actor_kinds: such as ``staff`` or ``worker``.
        warrants: ids of warrants.
        grants: ids of grants.
        subjects: pseudonyms of data subjects.
        everything: every opening in that time; without a condition nothing else is allowed.
    """

    since: dt.datetime
    until: dt.datetime
    actors: frozenset[UUID] = frozenset()
    actor_kinds: frozenset[str] = frozenset()
    warrants: frozenset[UUID] = frozenset()
    grants: frozenset[UUID] = frozenset()
    subjects: frozenset[UUID] = frozenset()
    everything: bool = False

    def __post_init__(self) -> None:
        """Refuse a time that is none, and a query that would mean everything by leaving everything out.

        Raises:
            ValueError: as said.
        """
        if self.since.tzinfo is None or self.until.tzinfo is None or self.since >= self.until:
            raise ValueError("give a beginning and a later end, each with a time zone")
        conditions = (self.actors, self.actor_kinds, self.warrants, self.grants, self.subjects)
        if not any(conditions) and not self.everything:
            raise ValueError("name at least one condition, or say that every opening in that time is meant")

    def matches_actor(self, leaf: Leaf) -> bool:
        """Say whether an entry was written by one of the actors asked for, in the time asked for."""
        if not self.since <= leaf.occurred_at < self.until:
            return False
        if self.actors and leaf.actor.id not in self.actors:
            return False
        return not self.actor_kinds or leaf.actor.kind in self.actor_kinds

    def matches(self, leaf: Leaf) -> bool:
        """Say whether an opening belongs to the breach."""
        if not self.matches_actor(leaf):
            return False
        if self.warrants and leaf.warrant_id not in self.warrants:
            return False
        if self.grants and not any(f"grant {grant}" in leaf.purpose for grant in self.grants):
            return False
        return not self.subjects or leaf.subject in self.subjects


@dataclass(slots=True)
class Person:
    """What of one person was opened.

    Attributes:
        kinds: ids of ``data_kinds.KINDS``.
        openings: how many entries say so; more than objects where something was opened twice.
        objects: sealed objects that were opened.
        first_at: aware UTC.
        last_at: aware UTC.
    """

    first_at: dt.datetime
    last_at: dt.datetime
    kinds: set[str] = field(default_factory=set)
    objects: set[UUID] = field(default_factory=set)
    openings: int = 0


@dataclass(frozen=True, slots=True)
class KeyTrace:
    """An entry that says that keys were touched, or could be.

    Attributes:
        entry_id: which entry.
        at: aware UTC.
        act: what was done.
        actor: who, by pseudonym; None for the house itself.
        words: why it counts.
    """

    entry_id: UUID
    at: dt.datetime
    act: Act
    actor: UUID | None
    words: str


@dataclass(frozen=True, slots=True)
class Touched:
    """The answer: people, kinds, openings, and whether keys were touched."""

    people: dict[UUID, Person]
    openings: int
    keys: tuple[KeyTrace, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """Return every kind of data that was touched of anybody."""
        return frozenset(kind for person in self.people.values() for kind in person.kinds)

    @property
    def records(self) -> int:
        """Return how many records were touched: each object, and each personal detail of each person, once."""
        return sum(len(one.objects) + len(one.kinds & set(OF_FIELD.values())) for one in self.people.values())


@enforces("8.3.a", "8.3.b")
def touched(leaves: Iterable[Leaf], query: Query, *, kind_of: KindOf) -> Touched:
    """Return which people, which kinds of their data and whether keys were touched.

    Args:
        leaves: of the journal, in any order; an entry that occurs twice counts once.
        query: which openings belong to the breach.
        kind_of: the kind of a sealed object; ``unknown`` where nobody knows.
    """
    people: dict[UUID, Person] = {}
    keys: list[KeyTrace] = []
    seen: set[UUID] = set()
    openings = 0
    for leaf in leaves:
        if leaf.entry_id in seen or leaf.outcome is not Outcome.DONE:
            continue
        seen.add(leaf.entry_id)
        trace = _key_trace(leaf) if query.matches_actor(leaf) else None
        if trace is not None:
            keys.append(trace)
        if leaf.act not in OPENINGS or leaf.subject is None or not query.matches(leaf):
            continue
        openings += 1
        person = people.setdefault(leaf.subject, Person(first_at=leaf.occurred_at, last_at=leaf.occurred_at))
        person.first_at, person.last_at = min(person.first_at, leaf.occurred_at), max(person.last_at, leaf.occurred_at)
        person.openings += 1
        person.kinds |= _kinds(leaf, kind_of)
        person.objects |= set(leaf.object_ids)
    return Touched(people, openings, tuple(sorted(keys, key=lambda one: one.at)))


def _kinds(leaf: Leaf, kind_of: KindOf) -> set[str]:
    if leaf.act is Act.OBJECT_OPENED:
        return {kind_of(object_id) for object_id in leaf.object_ids} or {"unknown"}
    # “purpose: field”, as ``vault.open_field`` writes it; what has no name here counts as the worst.
    return {OF_FIELD.get(leaf.purpose.rpartition(": ")[2], "unknown")}


def _key_trace(leaf: Leaf) -> KeyTrace | None:
    if leaf.act in KEY_ACTS and leaf.actor.kind not in {"system", "customer"}:
        words = "a key was changed or destroyed"
    elif leaf.act in _GRANT_ACTS and (scope := next((one for one in _KEY_SCOPES if one in leaf.purpose), "")):
        words = f"{scope.removeprefix('act:')}: keys can be reached from there"
    else:
        return None
    return KeyTrace(leaf.entry_id, leaf.occurred_at, leaf.act, leaf.actor.id, words)
