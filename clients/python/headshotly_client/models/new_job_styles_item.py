from enum import StrEnum


class NewJobStylesItem(StrEnum):
    BANNER = "banner"
    BRAND = "brand"
    CV = "cv"
    ID_PHOTO = "id-photo"
    LINKEDIN = "linkedin"
    OFFICE = "office"
    OUTDOOR = "outdoor"
    STUDIO_BLACK = "studio-black"
    STUDIO_GREY = "studio-grey"
    STUDIO_NAVY = "studio-navy"
    STUDIO_WARM = "studio-warm"
    STUDIO_WHITE = "studio-white"

    def __str__(self) -> str:
        return str(self.value)
