"""Whom the journal says a breach touched: pure, over leaves."""

import datetime as dt
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.leaf import Leaf
from headshotly.incidents.scope import Query, touched

pytestmark = pytest.mark.clause("8.3.b")
NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
INTRUDER, HONEST = Actor(kind="staff", id=UUID(int=1), role="support"), Actor(kind="staff", id=UUID(int=2))
PEOPLE = [UUID(int=number) for number in range(100, 104)]
GRANT = UUID(int=9)


def leaf(act: Act = Act.OBJECT_OPENED, **changes) -> Leaf:
    known = {"entry_id": uuid4(), "occurred_at": NOON, "actor": INTRUDER, "act": act, "subject": PEOPLE[0]}
    if act is Act.OBJECT_OPENED:
        known["object_ids"] = (uuid4(),)
    return Leaf(**(known | changes))


def query(**changes) -> Query:
    return Query(**({"since": NOON - HOUR, "until": NOON + HOUR, "actors": frozenset({INTRUDER.id})} | changes))


def photo(_object_id: UUID) -> str:
    return "photo"


def test_openings_of_the_intruder_and_of_nobody_else() -> None:
    mine = [
        leaf(subject=PEOPLE[0]),
        leaf(subject=PEOPLE[0]),
        leaf(Act.FIELD_OPENED, subject=PEOPLE[1], purpose="x: accounts.email"),
    ]
    others = [
        leaf(actor=HONEST, subject=PEOPLE[2]),
        leaf(subject=PEOPLE[3], occurred_at=NOON - 2 * HOUR),
        leaf(subject=PEOPLE[3], occurred_at=NOON + HOUR),
        leaf(subject=PEOPLE[3], outcome=Outcome.REFUSED),
        leaf(Act.MAIL_SENT, subject=PEOPLE[3]),
    ]
    found = touched([*mine, *others, mine[0]], query(), kind_of=photo)
    assert {one: person.kinds for one, person in found.people.items()} == {PEOPLE[0]: {"photo"}, PEOPLE[1]: {"email"}}
    assert found.openings == 3
    assert found.people[PEOPLE[0]].openings == len(found.people[PEOPLE[0]].objects) == 2
    assert found.records == 3
    assert found.keys == ()


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"actors": frozenset(), "grants": frozenset({GRANT})}, {0}),
        ({"actors": frozenset(), "warrants": frozenset({UUID(int=77)})}, {1}),
        ({"actors": frozenset(), "actor_kinds": frozenset({"worker"})}, {2}),
        ({"actors": frozenset(), "subjects": frozenset({PEOPLE[3]})}, {3}),
        ({"actors": frozenset(), "everything": True}, {0, 1, 2, 3}),
        ({"subjects": frozenset({PEOPLE[0], PEOPLE[2]})}, {0}),
    ],
)
def test_every_condition(conditions, expected) -> None:
    leaves = [
        leaf(subject=PEOPLE[0], purpose=f"support-request (SUP-1), grant {GRANT}"),
        leaf(subject=PEOPLE[1], warrant_id=UUID(int=77)),
        leaf(subject=PEOPLE[2], actor=Actor(kind="worker", id=UUID(int=5), role="studio")),
        leaf(subject=PEOPLE[3]),
    ]
    found = touched(leaves, query(**conditions), kind_of=photo)
    assert set(found.people) == {PEOPLE[number] for number in expected}


def test_what_has_no_known_kind_counts_as_unknown() -> None:
    leaves = [leaf(), leaf(Act.FIELD_OPENED, purpose="x: some.new-field"), leaf(object_ids=())]
    assert touched(leaves, query(), kind_of=lambda _id: "unknown").kinds == {"unknown"}


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        (leaf(Act.ROOT_ROTATED, subject=None), True),
        (leaf(Act.GRANT_USED, subject=None, purpose="grant 1 act:database fault-analysis"), True),
        (leaf(Act.GLASS_BROKEN, subject=None, purpose="grant 1 act:rotate-keys security-incident"), True),
        (leaf(Act.GRANT_USED, purpose="grant 1 photo support-request"), False),
        (leaf(Act.ROOT_ROTATED, subject=None, actor=HONEST), False),
        (leaf(Act.ROOT_ROTATED, subject=None, actor=SYSTEM), False),
        (leaf(Act.KEY_SHREDDED, actor=Actor(kind="customer", id=INTRUDER.id)), False),
    ],
)
def test_whether_keys_were_touched(entry: Leaf, counts: bool) -> None:
    assert bool(touched([entry], query(), kind_of=photo).keys) is counts


def test_a_query_that_leaves_everything_out_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one condition"):
        query(actors=frozenset())
    with pytest.raises(ValueError, match="later end"):
        query(since=NOON, until=NOON)
    with pytest.raises(ValueError, match="time zone"):
        query(since=NOON.replace(tzinfo=None))


LEAVES = st.lists(
    st.builds(
        leaf,
        st.sampled_from([Act.OBJECT_OPENED, Act.FIELD_OPENED, Act.MAIL_SENT]),
        actor=st.sampled_from([INTRUDER, HONEST]),
        subject=st.sampled_from([*PEOPLE, None]),
        outcome=st.sampled_from(list(Outcome)),
        occurred_at=st.sampled_from([NOON - 2 * HOUR, NOON, NOON + 2 * HOUR]),
        purpose=st.just("view: accounts.name"),
    ),
    max_size=40,
)


@given(LEAVES, st.randoms())
def test_exactly_the_people_of_matching_openings_in_any_order_and_twice(leaves: list[Leaf], random) -> None:
    shuffled = leaves * 2
    random.shuffle(shuffled)
    found = touched(shuffled, query(), kind_of=photo)
    matching = [
        one
        for one in leaves
        if one.actor == INTRUDER and one.occurred_at == NOON and one.outcome is Outcome.DONE and one.subject
        and one.act in {Act.OBJECT_OPENED, Act.FIELD_OPENED}
    ]  # fmt: skip
    assert set(found.people) == {one.subject for one in matching}
    assert found.openings == len(matching)
    assert sum(person.openings for person in found.people.values()) == found.openings
