from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

from ..models.new_deletion_days import NewDeletionDays
from ..types import UNSET, Unset

T = TypeVar("T", bound="NewDeletion")


@_attrs_define
class NewDeletion:
    """The wish to have everything deleted.

    Attributes:
        confirm (Literal['delete everything']):
        days (NewDeletionDays | Unset): Time to think; 0 deletes at once and for good Default: NewDeletionDays.VALUE_7.
    """

    confirm: Literal["delete everything"]
    days: NewDeletionDays | Unset = NewDeletionDays.VALUE_7

    def to_dict(self) -> dict[str, Any]:
        confirm = self.confirm

        days: int | Unset = UNSET
        if not isinstance(self.days, Unset):
            days = self.days.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "confirm": confirm,
            }
        )
        if days is not UNSET:
            field_dict["days"] = days

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        confirm = cast(Literal["delete everything"], d.pop("confirm"))
        if confirm != "delete everything":
            raise ValueError(
                f"confirm must match const 'delete everything', got '{confirm}'"
            )

        _days = d.pop("days", UNSET)
        days: NewDeletionDays | Unset
        if isinstance(_days, Unset):
            days = UNSET
        else:
            days = NewDeletionDays(_days)

        new_deletion = cls(
            confirm=confirm,
            days=days,
        )

        return new_deletion
