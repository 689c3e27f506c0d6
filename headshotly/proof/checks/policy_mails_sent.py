"""Every customer is told of every published version, once (clause 11.a-c)."""

import datetime as dt

from headshotly.accounts import selectors as accounts
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.rights import mailing, publishing

WITHIN = dt.timedelta(days=2)


@check(
    id="policy_mails_sent",
    clauses=("11.a-c",),
    title="Every customer is told of a change",
    words="For each published version we compare the customers who were there when it was published with the mails: "
    "each must have got one, or be about to within two days; one that could not be delivered is named.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Compare mails with customers."""
    published, bad, mails = publishing.history(), [], 0
    for publication in published:
        untold, late, count = mailing.untold(publication, late_after=WITHIN)
        mails += count
        here = accounts.existing(untold)
        bad += [f"{publication.document} {publication.version}: {subject}" for subject in sorted(here | late)]
        if publication.queued_at is None and publication.published_at + WITHIN < scene.now:
            bad.append(f"{publication.document} {publication.version}: never queued")
    if bad:
        return broken(f"Not told of a change: {shorten(bad, most=3)}.", ids=bad, population=max(mails, len(bad)))
    if not published:
        return unknown("No version was published since the service began.")
    if not mails:
        return unknown("A version was published when there was no customer to tell.")
    return held(
        f"All {mails} mails about {len(published)} publications went out or are on their way.", population=mails
    )
