"""What the staff door processes, and why."""

from headshotly.purposes.declarations import Activity, LegalBasis, declare, keeps

STAFF_ACCESS = declare(
    Activity(
        id="staff-access",
        title="Staff access",
        purpose="To let only screened, trained and bound members of staff in, and only as far as a task needs.",
        people=("staff",),
        data=("sign-in name", "role", "second factors", "dates of checks", "grants and their use"),
        basis=LegalBasis.LEGITIMATE_INTEREST,
        retention="As long as somebody works here, and the history of grants for three years after.",
        measures=("2.4.a", "2.4.b", "2.4.c", "5.1.a", "5.2", "5.3.a"),
    )
)
_FIELDS = (
    "StaffMember.id",
    "StaffMember.handle",
    "StaffMember.role",
    "StaffMember.password",
    "StaffMember.totp_sealed",
    "StaffPasskey.credential_id",
    "StaffPasskey.public_key",
    "StaffPasskey.member",
    "StaffSession.member",
    "EnrolmentLink.member",
    "RightUse.member",
    "WithheldRight.member",
    "Personnel.member",
    "Personnel.screening_provider",
    "Personnel.screening_report_sha256",
    "Grant.member",
    "Grant.subject",
    "Grant.reason",
    "Grant.finding",
    "AccessReview.outcome",
)
for _field in _FIELDS:
    keeps(f"access.{_field}", activity=STAFF_ACCESS.id)
