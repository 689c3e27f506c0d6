"""What watching over the service processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, TimeLimit, declare, keeps

MONITORING = declare(
    Activity(
        id="security-monitoring",
        title="Watching over the security of the service",
        purpose="To notice attacks and misuse as they happen, and to show afterwards what was touched (GDPR 32).",
        people=("customers", "visitors", "staff"),
        data=("pseudonym", "pseudonym of the network address", "what was done, when, with what outcome"),
        basis=LegalBasis.LEGITIMATE_INTEREST,
        retention="30 days for web access and network flows, a year for everything else, three years for alerts.",
        measures=("2.3.b", "5.3.a", "5.3.b", "8.2.a", "8.2.b"),
        limits=(
            TimeLimit(id="events", title="Security events, web access and flows only 30 days", days=366),
            TimeLimit(id="alerts", title="Alerts", days=3 * 366),
        ),
    )
)
for _field in ("Event.subject", "Event.address", "Event.ocsf", "Alert.subject", "Alert.address", "Alert.group"):
    keeps(f"incidents.{_field}", activity=MONITORING.id)
for _field in ("Alert.events", "Alert.sentence", "Block.address"):
    keeps(f"incidents.{_field}", activity=MONITORING.id)

HANDLING = declare(
    Activity(
        id="incident-handling",
        title="Handling security incidents",
        purpose="To end incidents, find out whom they touched, and tell people and authorities (GDPR 32, 33, 34).",
        people=("customers", "staff"),
        data=(
            "pseudonym",
            "which kinds of data were touched and when",
            "evidence, sealed",
            "e-mail address while a letter is sent",
            "work address of staff on call, sealed",
        ),
        basis=LegalBasis.LEGAL_OBLIGATION,
        recipients=("supervisory authority", "Attorney General of California (no names)"),
        retention="Cases, breaches and notices stay, to show what was done (GDPR 33(5)), with pseudonyms only.",
        measures=("3.2.a", "5.1.a", "5.3.a", "8.1.a-b", "8.3.a", "8.3.b", "8.3.c"),
        source="the journal of the service",
    )
)
for _place in ("AffectedPerson.subject", "AffectedPerson.kinds", "Letter.subject", "HolderLetter.member"):
    keeps(f"incidents.{_place}", activity=HANDLING.id)
for _place in ("Contact.member", "Contact.email"):
    keeps(f"incidents.{_place}", activity=HANDLING.id)
keeps("object:evidence", activity=HANDLING.id)
