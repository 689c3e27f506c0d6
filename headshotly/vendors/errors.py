"""Why the vendors room refuses."""

from headshotly.policy.refusal import Refusal


class EgressRefused(Refusal):
    """This may not leave the house for there (clauses 1.2.d, 2.2, 9.1.b)."""

    code = "egress.refused"
    status = 503


class RegisterRefused(Refusal):
    """An entry of the register that is incomplete, or a step this person may not take."""

    code = "vendor.refused"
    status = 422


class VendorMissing(Refusal):
    """There is no such vendor on the register."""

    code = "vendor.missing"
    status = 404
