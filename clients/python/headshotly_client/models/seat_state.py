from enum import StrEnum


class SeatState(StrEnum):
    BEGUN = "begun"
    FREE = "free"
    INVITED = "invited"
    TAKEN = "taken"

    def __str__(self) -> str:
        return str(self.value)
