"""What proving the policy processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

PROVING = declare(
    Activity(
        id="proving",
        title="Proof that nothing is readable",
        purpose="To plant a made-up person's picture and address and see that neither can be read where data is kept.",
        people=("staff",),
        data=("a made-up address and picture", "pseudonyms of staff who ask for or approve an exception"),
        basis=LegalBasis.LEGAL_OBLIGATION,
        retention="Until the next look; what was seen is kept for good and names nobody.",
        source="the service itself",
    )
)
for _place in ("proof.Canary.subject", "proof.Canary.word", "object:canary"):
    keeps(_place, activity=PROVING.id)
REPORTS = declare(
    Activity(
        id="weakness-reports",
        title="Reports of weaknesses",
        purpose="To take in reports of weaknesses, answer whoever sent them, and thank those who want to be thanked.",
        people=("people who report a weakness",),
        data=("what was written, sealed", "name and e-mail address, sealed", "the name to thank them by, in public"),
        basis=LegalBasis.LEGITIMATE_INTEREST,
        retention="24 months after a report is closed; the public thanks until the person wants them gone.",
        measures=("3.2.a", "4.3.b", "5.1.a", "5.3.a", "10.3"),
    )
)
for _place in ("WeaknessReport.subject", "WeaknessReport.words", "Thanks.display_name"):
    keeps(f"proof.{_place}", activity=REPORTS.id)
keeps("object:weakness-report", activity=REPORTS.id)
