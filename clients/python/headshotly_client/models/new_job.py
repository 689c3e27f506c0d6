from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define

from ..models.new_job_styles_item import NewJobStylesItem
from ..types import UNSET, Unset

T = TypeVar("T", bound="NewJob")


@_attrs_define
class NewJob:
    """Every photo in every style.

    Attributes:
        photo_ids (list[UUID]):
        styles (list[NewJobStylesItem]):
        brand_colour (str | Unset): Of the style `brand`, such as #2c62ac Default: ''.
    """

    photo_ids: list[UUID]
    styles: list[NewJobStylesItem]
    brand_colour: str | Unset = ""

    def to_dict(self) -> dict[str, Any]:
        photo_ids = []
        for photo_ids_item_data in self.photo_ids:
            photo_ids_item = str(photo_ids_item_data)
            photo_ids.append(photo_ids_item)

        styles = []
        for styles_item_data in self.styles:
            styles_item = styles_item_data.value
            styles.append(styles_item)

        brand_colour = self.brand_colour

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "photo_ids": photo_ids,
                "styles": styles,
            }
        )
        if brand_colour is not UNSET:
            field_dict["brand_colour"] = brand_colour

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        photo_ids = []
        _photo_ids = d.pop("photo_ids")
        for photo_ids_item_data in _photo_ids:
            photo_ids_item = UUID(photo_ids_item_data)

            photo_ids.append(photo_ids_item)

        styles = []
        _styles = d.pop("styles")
        for styles_item_data in _styles:
            styles_item = NewJobStylesItem(styles_item_data)

            styles.append(styles_item)

        brand_colour = d.pop("brand_colour", UNSET)

        new_job = cls(
            photo_ids=photo_ids,
            styles=styles,
            brand_colour=brand_colour,
        )

        return new_job
