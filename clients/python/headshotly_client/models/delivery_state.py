from enum import StrEnum


class DeliveryState(StrEnum):
    FAILED = "failed"
    GONE = "gone"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"

    def __str__(self) -> str:
        return str(self.value)
