"""Which places lie in the European Union: the one list that clause 2.2 is judged by."""

# London (eu-west-2) and Zurich (eu-central-2) are called “eu” and lie outside the Union.
EU_REGIONS = frozenset(
    {
        "eu-central-1",  # Frankfurt
        "eu-north-1",  # Stockholm
        "eu-south-1",  # Milan
        "eu-south-2",  # Spain
        "eu-west-1",  # Ireland
        "eu-west-3",  # Paris
        "eusc-de-east-1",  # European Sovereign Cloud, Brandenburg
    }
)

# ISO 3166-1, the 27 member states.
EU_COUNTRIES = frozenset(
    {
        "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU",
        "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
    }
)  # fmt: skip


def in_union(place: str) -> bool:
    """Say whether a place lies in the European Union.

    Args:
        place: an AWS region such as ``eu-west-1``, or an ISO 3166-1 country such as ``IE``.
    """
    return place in EU_REGIONS or place in EU_COUNTRIES
