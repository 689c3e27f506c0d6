"""Telling people in time: a vendor's papers and assessments that run out close the gate (clause 9.2)."""

from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail, selectors
from headshotly.vendors.standing import Standing


@enforces("9.2")
def remind() -> int:
    """Write one letter that names every vendor that is not simply open; return how many it names.

    Raises:
        MailNotSent: the letter did not go; tomorrow's run, or the next try, writes it again.
    """
    named = [one for one in selectors.in_use() if one.standing is not Standing.OPEN]
    if named:
        lines = [f"- {one.vendor.name} ({one.standing.name.lower()}): {one.because}" for one in named]
        mail.send(
            to=configuration.current().operator.security_email,
            subject="Vendors that need looking after",
            text="The gate closes by itself over what is not renewed.\n\n" + "\n".join(lines),
            about=None,
        )
    return len(named)
