"""What this room keeps that looks personal, and whose it is: nobody's."""

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
