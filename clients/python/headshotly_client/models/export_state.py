from enum import StrEnum


class ExportState(StrEnum):
    BUILDING = "building"
    EXPIRED = "expired"
    FAILED = "failed"
    READY = "ready"
    WAITING = "waiting"

    def __str__(self) -> str:
        return str(self.value)
