"""The closed list of acts the journal knows. Grammar: ``room.thing.verb-in-past-tense``."""

import enum


class Act(enum.StrEnum):
    """One kind of thing that happens. Add a member here before recording a new kind of act."""

    ENTRY_DAMAGED = "audit.entry.damaged"

    OBJECT_SEALED = "vault.object.sealed"
    OBJECT_OPENED = "vault.object.opened"
    OBJECT_DESTROYED = "vault.object.destroyed"
    FIELD_OPENED = "vault.field.opened"
    KEY_CREATED = "vault.key.created"
    KEY_SHREDDED = "vault.key.shredded"
    ROOT_ROTATED = "vault.root.rotated"
    WARRANT_REFUSED = "vault.warrant.refused"

    ACCOUNT_CREATED = "accounts.account.created"
    ACCOUNT_CONFIRMED = "accounts.account.confirmed"
    ACCOUNT_DELETED = "accounts.account.deleted"
    SIGN_IN_SUCCEEDED = "accounts.sign-in.succeeded"
    SIGN_IN_FAILED = "accounts.sign-in.failed"
    SIGNED_OUT = "accounts.session.ended"
    PASSWORD_CHANGED = "accounts.password.changed"  # noqa: S105 - an act, not a password # nosec B105
    NAME_CHANGED = "accounts.name.changed"
    ADDRESS_CHANGED = "accounts.address.changed"
    SECOND_FACTOR_ADDED = "accounts.second-factor.added"
    SECOND_FACTOR_REMOVED = "accounts.second-factor.removed"
    RECOVERY_CODES_RENEWED = "accounts.recovery-codes.renewed"
    RECOVERY_CODE_USED = "accounts.recovery-code.used"
    SESSION_REVOKED = "accounts.session.revoked"

    CONSENT_GIVEN = "purposes.consent.given"
    CONSENT_WITHDRAWN = "purposes.consent.withdrawn"

    STAFF_CREATED = "access.staff.created"
    STAFF_ENROLLED = "access.staff.enrolled"
    STAFF_SIGN_IN_SUCCEEDED = "access.sign-in.succeeded"
    STAFF_SIGN_IN_FAILED = "access.sign-in.failed"
    STAFF_SIGNED_OUT = "access.session.ended"
    STAFF_CLOSED = "access.staff.closed"
    STAFF_FACTOR_ADDED = "access.second-factor.added"
    WARRANT_MINTED = "access.warrant.minted"
    PERSONNEL_RECORDED = "access.personnel.recorded"
    GRANT_ASKED = "access.grant.asked"
    GRANT_APPROVED = "access.grant.approved"
    GRANT_REFUSED = "access.grant.refused"
    GRANT_REVOKED = "access.grant.revoked"
    GRANT_USED = "access.grant.used"
    GLASS_BROKEN = "access.glass.broken"
    GLASS_REVIEWED = "access.glass.reviewed"
    CUSTOMER_LOOKED_UP = "access.customer.looked-up"
    ACCESS_REVIEWED = "access.review.recorded"
    RIGHT_WITHHELD = "access.right.withheld"
    SERVICE_ACCOUNT_CREATED = "access.service-account.created"
    TOKEN_ISSUED = "access.token.issued"  # noqa: S105 - an act, not a token
    TOKEN_REVOKED = "access.token.revoked"  # noqa: S105 - an act, not a token

    PHOTO_RECEIVED = "studio.photo.received"
    PHOTO_REFUSED = "studio.photo.refused"
    PHOTO_DELETED = "studio.photo.deleted"
    SHOOT_QUEUED = "studio.shoot.queued"
    SHOOT_STARTED = "studio.shoot.started"
    SHOOT_FINISHED = "studio.shoot.finished"
    SHOOT_FAILED = "studio.shoot.failed"
    SHOOT_CANCELLED = "studio.shoot.cancelled"
    HEADSHOT_MADE = "studio.headshot.made"
    HEADSHOT_DELETED = "studio.headshot.deleted"
    HEADSHOT_DOWNLOADED = "studio.headshot.downloaded"

    MAIL_SENT = "vendors.mail.sent"


class Outcome(enum.StrEnum):
    """How the act ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
