"""What the studio names, read whole; the service itself asks about a few hundred objects at a time."""

from uuid import UUID

from headshotly.studio.models import Headshot, Photo


def object_ids_in_use() -> set[UUID]:
    """Return the ids of every sealed object that a photo or headshot names."""
    pairs = [pair for model in (Photo, Headshot) for pair in model.objects.values_list("object_id", "preview_id")]
    return {object_id for pair in pairs for object_id in pair}
