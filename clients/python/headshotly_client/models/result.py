from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Result")


@_attrs_define
class Result:
    """A headshot.

    Attributes:
        id (UUID):
        job_id (UUID):
        photo_id (UUID):
        style (str):
        notes (list[str]):
        made_at (datetime.datetime):
    """

    id: UUID
    job_id: UUID
    photo_id: UUID
    style: str
    notes: list[str]
    made_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        job_id = str(self.job_id)

        photo_id = str(self.photo_id)

        style = self.style

        notes = self.notes

        made_at = self.made_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "job_id": job_id,
                "photo_id": photo_id,
                "style": style,
                "notes": notes,
                "made_at": made_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        job_id = UUID(d.pop("job_id"))

        photo_id = UUID(d.pop("photo_id"))

        style = d.pop("style")

        notes = cast(list[str], d.pop("notes"))

        made_at = datetime.datetime.fromisoformat(d.pop("made_at"))

        result = cls(
            id=id,
            job_id=job_id,
            photo_id=photo_id,
            style=style,
            notes=notes,
            made_at=made_at,
        )

        result.additional_properties = d
        return result

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
