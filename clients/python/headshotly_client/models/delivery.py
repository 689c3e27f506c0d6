from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.delivery_state import DeliveryState

T = TypeVar("T", bound="Delivery")


@_attrs_define
class Delivery:
    """One message to an endpoint.

    Attributes:
        id (UUID):
        event (str):
        about (UUID):
        happened_at (datetime.datetime):
        state (DeliveryState):
        attempts (int):
        answered (int | None): HTTP status of the last answer
        next_at (datetime.datetime | None): When it is tried next
    """

    id: UUID
    event: str
    about: UUID
    happened_at: datetime.datetime
    state: DeliveryState
    attempts: int
    answered: int | None
    next_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        event = self.event

        about = str(self.about)

        happened_at = self.happened_at.isoformat()

        state = self.state.value

        attempts = self.attempts

        answered: int | None
        answered = self.answered

        next_at: None | str
        if isinstance(self.next_at, datetime.datetime):
            next_at = self.next_at.isoformat()
        else:
            next_at = self.next_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "event": event,
                "about": about,
                "happened_at": happened_at,
                "state": state,
                "attempts": attempts,
                "answered": answered,
                "next_at": next_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        event = d.pop("event")

        about = UUID(d.pop("about"))

        happened_at = datetime.datetime.fromisoformat(d.pop("happened_at"))

        state = DeliveryState(d.pop("state"))

        attempts = d.pop("attempts")

        def _parse_answered(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        answered = _parse_answered(d.pop("answered"))

        def _parse_next_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                next_at_type_0 = datetime.datetime.fromisoformat(data)

                return next_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        next_at = _parse_next_at(d.pop("next_at"))

        delivery = cls(
            id=id,
            event=event,
            about=about,
            happened_at=happened_at,
            state=state,
            attempts=attempts,
            answered=answered,
            next_at=next_at,
        )

        delivery.additional_properties = d
        return delivery

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
