"""A prepared look-up answers as the query it was made of does, and nothing of an answer is kept."""

import datetime as dt
from uuid import UUID, uuid4

import pytest
from django.db.models import CharField, DateTimeField, F, Model, QuerySet, TextField, UUIDField

from headshotly.accounts.models import CustomerSession
from headshotly.policy import clock
from headshotly.policy.prepared import NotPreparable, Prepared
from headshotly.studio.models import Photo, Shoot
from headshotly.vault.models import KeyHold

pytestmark = pytest.mark.django_db
_EVERYBODY = UUID(int=0)


def _as_django(row: Model | None) -> object:
    return row and {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}


def _photo(subject: UUID) -> Photo:
    return Photo.objects.create(
        subject=subject, object_id=uuid4(), preview_id=uuid4(), sentence="Good.", score=0.5, received_at=clock.now()
    )


_PHOTO = Prepared(
    lambda one, subject: Photo.objects.filter(id=one, subject=subject), one=UUIDField(), subject=UUIDField()
)


def test_it_returns_what_django_returns() -> None:
    subject = uuid4()
    kept = _photo(subject)
    _photo(subject)
    assert _as_django(_PHOTO.one(one=kept.id, subject=subject)) == _as_django(Photo.objects.get(id=kept.id))
    assert _PHOTO.one(one=kept.id, subject=uuid4()) is None
    assert _PHOTO.one(one=uuid4(), subject=subject) is None


def test_every_call_asks_the_database() -> None:
    subject = uuid4()
    kept = _photo(subject)
    assert _PHOTO.one(one=kept.id, subject=subject) is not None
    Photo.objects.filter(id=kept.id).update(sentence="Better.")
    found = _PHOTO.one(one=kept.id, subject=subject)
    assert found is not None
    assert found.sentence == "Better."
    kept.delete()
    assert _PHOTO.one(one=kept.id, subject=subject) is None


def test_a_row_can_be_saved() -> None:
    kept = _photo(uuid4())
    found = _PHOTO.one(one=kept.id, subject=kept.subject)
    assert found is not None
    found.sentence = "Better."
    found.save(update_fields=["sentence"])
    kept.refresh_from_db()
    assert kept.sentence == "Better."
    assert Photo.objects.count() == 1


def test_json_and_order_and_several_rows_come_as_django_gives_them() -> None:
    subject, now = uuid4(), clock.now()
    for number in range(3):
        Shoot.objects.create(
            subject=subject,
            photo_ids=[str(uuid4())],
            style_ids=["a", "b"],
            steps_total=1,
            created_at=now - dt.timedelta(seconds=number),
        )
    prepared = Prepared(
        lambda subject: Shoot.objects.filter(subject=subject).order_by("created_at"), subject=UUIDField()
    )
    expected = list(Shoot.objects.filter(subject=subject).order_by("created_at"))
    assert list(map(_as_django, prepared.all(subject=subject))) == list(map(_as_django, expected))
    assert len(expected) == 3


def test_texts_moments_and_constants_stand_where_they_belong() -> None:
    now = clock.now()
    CustomerSession.objects.create(session_key="k", session_data="d", expire_date=now)
    prepared = Prepared(
        lambda key, moment: CustomerSession.objects.filter(session_key=key, expire_date__gt=moment),
        key=CharField(),
        moment=DateTimeField(),
    )
    assert prepared.one(key="k", moment=now - dt.timedelta(microseconds=1)) is not None
    assert prepared.one(key="k", moment=now) is None
    assert prepared.one(key="K' OR '1'='1", moment=now - dt.timedelta(days=1)) is None
    holds = Prepared(lambda subject: KeyHold.objects.filter(subject__in=[subject, _EVERYBODY]), subject=UUIDField())
    assert holds.one(subject=uuid4()) is None
    KeyHold.objects.create(subject=_EVERYBODY, held_at=now, because="x")
    assert holds.one(subject=uuid4()) is not None


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda value: Photo.objects.filter(id=_EVERYBODY), UUIDField()),  # noqa: ARG005 - that is the mistake
        (lambda value: Photo.objects.filter(sentence__contains=value), CharField()),
        (lambda value: Photo.objects.filter(id=value).annotate(twice=F("score") * 2), UUIDField()),
        (lambda value: Photo.objects.filter(id=value).values("id"), UUIDField()),
        (lambda value: Photo.objects.filter(sentence=value), TextField()),
    ],
)
def test_what_cannot_be_prepared_is_refused(make, kind) -> None:
    prepared: Prepared[Photo] = Prepared(make, value=kind)
    with pytest.raises(NotPreparable):
        prepared.one(value=kind.to_python(str(uuid4())))


def test_a_related_row_is_not_passed_over() -> None:
    from headshotly.studio.models import Headshot

    def with_shoot(value: UUID) -> QuerySet[Headshot]:
        return Headshot.objects.filter(id=value).select_related("shoot")

    with pytest.raises(NotPreparable):
        Prepared(with_shoot, value=UUIDField()).one(value=uuid4())
