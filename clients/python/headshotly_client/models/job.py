from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.job_state import JobState

T = TypeVar("T", bound="Job")


@_attrs_define
class Job:
    """Headshots being made, or made.

    Attributes:
        id (UUID):
        state (JobState):
        photo_ids (list[UUID]):
        styles (list[str]):
        percent (int):
        sentence (str): What is happening, or what went wrong, in plain words
        created_at (datetime.datetime):
        finished_at (datetime.datetime | None):
    """

    id: UUID
    state: JobState
    photo_ids: list[UUID]
    styles: list[str]
    percent: int
    sentence: str
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        state = self.state.value

        photo_ids = []
        for photo_ids_item_data in self.photo_ids:
            photo_ids_item = str(photo_ids_item_data)
            photo_ids.append(photo_ids_item)

        styles = self.styles

        percent = self.percent

        sentence = self.sentence

        created_at = self.created_at.isoformat()

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "state": state,
                "photo_ids": photo_ids,
                "styles": styles,
                "percent": percent,
                "sentence": sentence,
                "created_at": created_at,
                "finished_at": finished_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        state = JobState(d.pop("state"))

        photo_ids = []
        _photo_ids = d.pop("photo_ids")
        for photo_ids_item_data in _photo_ids:
            photo_ids_item = UUID(photo_ids_item_data)

            photo_ids.append(photo_ids_item)

        styles = cast(list[str], d.pop("styles"))

        percent = d.pop("percent")

        sentence = d.pop("sentence")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        job = cls(
            id=id,
            state=state,
            photo_ids=photo_ids,
            styles=styles,
            percent=percent,
            sentence=sentence,
            created_at=created_at,
            finished_at=finished_at,
        )

        job.additional_properties = d
        return job

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
