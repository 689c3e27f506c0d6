"""A model column for personal text: ciphertext in the database, a ``Sealed`` in Python, opened only by a warrant."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from headshotly.policy.enforcement import enforces
from headshotly.vault import services
from headshotly.vault.warrant import Warrant


@dataclass(frozen=True, slots=True)
class Sealed:
    """A personal text that nobody has opened.

    Attributes:
        subject: pseudonym of the person it is about.
        label: the column's name, bound into the ciphertext.
        ciphertext: what lies in the database; kept out of ``repr`` and logs.
    """

    subject: UUID
    label: str
    ciphertext: bytes = field(repr=False)

    @enforces("5.3.a")
    def open(self, warrant: Warrant) -> str:
        """Return the text, after the journal durably says who opened it.

        Raises:
            WarrantRefused: the warrant is forged, expired or for another subject; the refusal is journalled.
            JournalUnavailable: the entry could not be written, so nothing was unwrapped.
            KeyShredded: the person's key is gone.
            ObjectDamaged: it was changed, or belongs to another person or column.
        """
        return services.open_field(subject=self.subject, field=self.label, sealed=self.ciphertext, warrant=warrant)


class SealedAttribute(DeferredAttribute):
    """What ``Model.column`` and ``instance.column`` give."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or value is None or isinstance(value, Sealed):
            return value
        column: SealedTextField = self.field  # type: ignore[assignment]  # the stubs know only the base class
        return Sealed(getattr(instance, column.about), column.label, bytes(value))

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, str):
            raise TypeError("a sealed column takes no readable text; seal it first: Model.column.seal(subject, text)")
        instance.__dict__[self.field.attname] = value

    def seal(self, subject: UUID, text: str) -> Sealed:
        """Return a text sealed for this column.

        Args:
            subject: the person it is about.
            text: what they told us.

        Raises:
            KeyShredded: the person has no key.
        """
        column: SealedTextField = self.field  # type: ignore[assignment]  # as above
        return Sealed(subject, column.label, services.seal_field(subject=subject, field=column.label, text=text))


if TYPE_CHECKING:
    _Column = models.Field[Sealed | bytes | None, Any]
else:
    _Column = models.BinaryField


@enforces("3.2.a")
class SealedTextField(_Column):
    """Personal text under the customer's key.

    ``about`` names the attribute of the row that holds the data subject's pseudonym; ``label`` is bound into the
    ciphertext, so that renaming the column does not make old rows unreadable.
    """

    descriptor_class = SealedAttribute

    def __init__(self, *args: Any, about: str = "subject", label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.about = about
        self.label = label

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Take the default label, ``room.column``, when the model is made."""
        super().contribute_to_class(cls, name, private_only=private_only)
        self.label = self.label or f"{cls._meta.app_label}.{name}"

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return what a migration writes down."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, list(args), {**kwargs, "about": self.about, "label": self.label}

    def get_prep_value(self, value: Any) -> Any:
        """Return the bytes to store."""
        return super().get_prep_value(value.ciphertext if isinstance(value, Sealed) else value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the bytes as the database's driver takes them."""
        plain = value.ciphertext if isinstance(value, Sealed) else value
        return super().get_db_prep_value(plain, connection, prepared)

    def value_to_string(self, obj: models.Model) -> str:  # noqa: ARG002 - Django's signature
        """Refuse: serialised rows leave the database, and sealed values stay."""
        raise TypeError("a sealed column is not serialised")
