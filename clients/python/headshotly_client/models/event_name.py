from enum import StrEnum


class EventName(StrEnum):
    EXPORT_READY = "export.ready"
    JOB_DONE = "job.done"
    JOB_FAILED = "job.failed"
    SEAT_TAKEN = "seat.taken"

    def __str__(self) -> str:
        return str(self.value)
