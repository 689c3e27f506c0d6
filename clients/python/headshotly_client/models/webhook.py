from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.endpoint_state import EndpointState

T = TypeVar("T", bound="Webhook")


@_attrs_define
class Webhook:
    """An endpoint. A paused one is sent nothing until it is resumed; its messages wait.

    Attributes:
        id (UUID):
        state (EndpointState):
        state_since (datetime.datetime | None): When it stopped working well
        taken_at (datetime.datetime | None): When it last took a message
        url (str):
        events (list[str]):
        registered_at (datetime.datetime):
    """

    id: UUID
    state: EndpointState
    state_since: datetime.datetime | None
    taken_at: datetime.datetime | None
    url: str
    events: list[str]
    registered_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        state = self.state.value

        state_since: None | str
        if isinstance(self.state_since, datetime.datetime):
            state_since = self.state_since.isoformat()
        else:
            state_since = self.state_since

        taken_at: None | str
        if isinstance(self.taken_at, datetime.datetime):
            taken_at = self.taken_at.isoformat()
        else:
            taken_at = self.taken_at

        url = self.url

        events = self.events

        registered_at = self.registered_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "state": state,
                "state_since": state_since,
                "taken_at": taken_at,
                "url": url,
                "events": events,
                "registered_at": registered_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        state = EndpointState(d.pop("state"))

        def _parse_state_since(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                state_since_type_0 = datetime.datetime.fromisoformat(data)

                return state_since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        state_since = _parse_state_since(d.pop("state_since"))

        def _parse_taken_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                taken_at_type_0 = datetime.datetime.fromisoformat(data)

                return taken_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        taken_at = _parse_taken_at(d.pop("taken_at"))

        url = d.pop("url")

        events = cast(list[str], d.pop("events"))

        registered_at = datetime.datetime.fromisoformat(d.pop("registered_at"))

        webhook = cls(
            id=id,
            state=state,
            state_since=state_since,
            taken_at=taken_at,
            url=url,
            events=events,
            registered_at=registered_at,
        )

        webhook.additional_properties = d
        return webhook

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
