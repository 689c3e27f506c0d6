from enum import StrEnum


class EndpointState(StrEnum):
    PAUSED_GONE = "paused_gone"
    PAUSED_SILENT = "paused_silent"
    REFUSING = "refusing"
    WORKING = "working"

    def __str__(self) -> str:
        return str(self.value)
