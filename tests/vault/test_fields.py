"""A sealed column on a real table: ciphertext in the database, a ``Sealed`` in Python, text only under a warrant."""

import pickle
import uuid

import pytest
from django.core import serializers
from django.db import connection, models
from django.test.utils import isolate_apps

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.vault import services
from headshotly.vault.errors import KeyShredded, ObjectDamaged, WarrantRefused
from headshotly.vault.fields import Sealed, SealedTextField
from tests.vault.conftest import DATABASES

pytestmark = pytest.mark.django_db(databases=DATABASES, transaction=True)
NAME = "Zażółć Gęślą"


@pytest.fixture
def letters(vault):
    """A table with two sealed columns, there for one test."""
    with isolate_apps("headshotly.vault"):

        class Letter(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid.uuid4)
            subject = models.UUIDField()
            text = SealedTextField()
            note = SealedTextField(label="letters.note", null=True)

            class Meta:
                app_label = "vault"

        with connection.schema_editor() as editor:
            editor.create_model(Letter)
        yield Letter
        with connection.schema_editor() as editor:
            editor.delete_model(Letter)


def test_a_text_goes_in_sealed_and_comes_out_under_a_warrant(letters, subject, warrant, journal):
    letter = letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    found = letters.objects.get(id=letter.id)
    assert isinstance(found.text, Sealed)
    assert found.note is None
    assert found.text.open(warrant) == NAME
    assert journal()[-1].act == Act.FIELD_OPENED
    assert journal()[-1].purpose == "owner-view: vault.text"


@pytest.mark.clause("3.2.a")
def test_the_database_holds_ciphertext(letters, subject):
    letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT text FROM {letters._meta.db_table}")
        stored = bytes(cursor.fetchone()[0])
    assert NAME.encode() not in stored
    assert len(stored) == 1 + 12 + len(NAME.encode()) + 16


def test_readable_text_is_refused_before_it_reaches_the_database(letters, subject):
    with pytest.raises(TypeError, match="seal it first"):
        letters(subject=subject, text=NAME)


def test_neither_repr_nor_serialisers_show_anything(letters, subject):
    letter = letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    assert NAME not in repr(letter.text)
    assert letter.text.ciphertext.hex() not in repr(letter.text)
    assert str(letter.text.ciphertext) not in repr(letter.text)
    with pytest.raises(TypeError, match="not serialised"):
        serializers.serialize("json", [letter])


def test_a_sealed_value_can_be_taken_along(letters, subject, warrant):
    letter = letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    assert pickle.loads(pickle.dumps(letter.text)).open(warrant) == NAME  # noqa: S301 - our own bytes


def test_a_deferred_column_is_fetched_when_asked_for(letters, subject, warrant):
    letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    assert letters.objects.defer("text").get().text.open(warrant) == NAME


def test_a_text_moved_to_another_row_or_column_is_refused(letters, subject, owner, warrant):
    other = uuid.uuid4()
    services.create_customer_key(actor=SYSTEM, subject=other)
    theirs = letters.objects.create(subject=other, text=letters.text.seal(other, "theirs"))
    mine = letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    letters.objects.filter(id=mine.id).update(text=theirs.text.ciphertext, note=mine.text.ciphertext)
    found = letters.objects.get(id=mine.id)
    for moved in (found.text, found.note):
        with pytest.raises(ObjectDamaged):
            moved.open(warrant)
    with pytest.raises(WarrantRefused):
        letters.objects.get(id=theirs.id).text.open(warrant)


@pytest.mark.clause("1.2.c")
def test_shredding_shreds_columns_too(letters, subject, owner, warrant):
    letter = letters.objects.create(subject=subject, text=letters.text.seal(subject, NAME))
    services.shred(actor=owner, subject=subject)
    with pytest.raises(KeyShredded):
        letters.objects.get(id=letter.id).text.open(warrant)


def test_a_migration_writes_down_what_the_column_needs():
    column = SealedTextField(about="id", label="accounts.name", null=True)
    _, path, args, kwargs = column.deconstruct()
    assert path == "headshotly.vault.fields.SealedTextField"
    assert (args, kwargs) == ([], {"about": "id", "label": "accounts.name", "null": True})


@pytest.mark.clause("3.2.a")
def test_the_blind_index_finds_equals_and_tells_nothing_else(vault):
    index = services.blind_index(field="email", value="a@example.org")
    assert len(index) == 32
    assert index == services.blind_index(field="email", value="a@example.org")
    assert index != services.blind_index(field="email", value="b@example.org")
    assert index != services.blind_index(field="name", value="a@example.org")


def test_field_and_value_cannot_be_shifted_into_each_other(vault):
    assert services.blind_index(field="ab", value="c") != services.blind_index(field="a", value="bc")
    with pytest.raises(ValueError, match="field"):
        services.blind_index(field="a\x00b", value="c")


def test_the_blind_index_is_renewed_without_losing_anybody(vault):
    about = {"field": "email", "value": "a@example.org"}
    old = services.blind_index(**about)
    services.renew_blind_index(actor=SYSTEM)
    new = services.blind_index(**about)
    assert new != old
    assert services.blind_indexes(**about) == (new, old)
    services.drop_older_blind_indexes(actor=SYSTEM)
    assert services.blind_indexes(**about) == (new,)
    services.drop_older_blind_indexes(actor=SYSTEM)
    assert services.blind_index(**about) == new
