"""The regions of AWS that lie in the European Union (clause 2.2)."""

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
