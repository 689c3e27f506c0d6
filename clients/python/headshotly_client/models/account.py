from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Account")


@_attrs_define
class Account:
    """Whom the token acts for, and what it may do.

    Attributes:
        id (UUID):
        scopes (list[str]):
        token_expires_at (datetime.datetime):
        headshots_left (int): How many more can be made with what was bought
        deletion_due_at (datetime.datetime | None): When everything is deleted, where that is planned
    """

    id: UUID
    scopes: list[str]
    token_expires_at: datetime.datetime
    headshots_left: int
    deletion_due_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        scopes = self.scopes

        token_expires_at = self.token_expires_at.isoformat()

        headshots_left = self.headshots_left

        deletion_due_at: None | str
        if isinstance(self.deletion_due_at, datetime.datetime):
            deletion_due_at = self.deletion_due_at.isoformat()
        else:
            deletion_due_at = self.deletion_due_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "scopes": scopes,
                "token_expires_at": token_expires_at,
                "headshots_left": headshots_left,
                "deletion_due_at": deletion_due_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        scopes = cast(list[str], d.pop("scopes"))

        token_expires_at = datetime.datetime.fromisoformat(d.pop("token_expires_at"))

        headshots_left = d.pop("headshots_left")

        def _parse_deletion_due_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                deletion_due_at_type_0 = datetime.datetime.fromisoformat(data)

                return deletion_due_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        deletion_due_at = _parse_deletion_due_at(d.pop("deletion_due_at"))

        account = cls(
            id=id,
            scopes=scopes,
            token_expires_at=token_expires_at,
            headshots_left=headshots_left,
            deletion_due_at=deletion_due_at,
        )

        account.additional_properties = d
        return account

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
