"""What the secure life cycle processes about people, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

LIFECYCLE = declare(
    Activity(
        id="secure-lifecycle",
        title="Secure development life cycle",
        purpose="To know who was trained, who wrote and reviewed a release, and who answers for a finding (GDPR 32).",
        people=("staff",),
        data=("pseudonym", "courses passed, with dates", "releases written and reviewed", "findings owned"),
        basis=LegalBasis.LEGITIMATE_INTEREST,
        retention="As long as the service runs: it is the evidence for clauses 4.1 to 4.3.",
        measures=("2.4.a", "4.1.a", "4.1.b", "4.2.a", "4.3.b", "5.1.a"),
    )
)
for _place in ("TrainingRecord.member", "Release.author", "Release.reviewer", "Finding.owner"):
    keeps(f"lifecycle.{_place}", activity=LIFECYCLE.id)
keeps("object:penetration-report", activity=LIFECYCLE.id)
