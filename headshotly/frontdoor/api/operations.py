"""Every operation of the API, bound to it once."""

from headshotly.frontdoor.api import account, jobs, photos, results, team, webhooks
from headshotly.frontdoor.api.service import api

for _rooms in (account, photos, jobs, results, team, webhooks):
    api.add_router("", _rooms.router)

__all__ = ["api"]
