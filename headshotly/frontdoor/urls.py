"""The map of the site: each room brings its own addresses."""

from django.urls import URLPattern, URLResolver, include, path

from headshotly.frontdoor import health, languages, objective_views, views
from headshotly.frontdoor.api import pages
from headshotly.incidents import collecting
from headshotly.proof import disclosure_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.landing, name="landing"),
    path("health/", views.health, name="health"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/metrics/", views.measured, name="metrics"),
    path("language/", languages.choose, name="language"),
    path(".well-known/gpc.json", views.gpc, name="gpc"),
    path("account/", include("headshotly.accounts.urls")),
    path("account/programs/", include("headshotly.integrations.urls")),
    path("studio/", include("headshotly.studio.urls")),
    path("consent/", include("headshotly.purposes.urls")),
    path("opened/", include("headshotly.access.customer_urls")),
    path("your-data/", include("headshotly.rights.urls")),
    path("privacy/", include("headshotly.purposes.notice_urls")),
    path("privacy/", include("headshotly.rights.public_urls")),
    path("documents/", include("headshotly.rights.document_urls")),
    path("staff/incidents/", include("headshotly.incidents.staff_urls")),
    path("staff/watch/", include("headshotly.incidents.watch_urls")),
    path("api/events/", collecting.take, name="collect"),
    path("api/", pages.about, name="api-page"),
    path("api/v1/", include("headshotly.frontdoor.api.urls")),
    path("staff/rights/", include("headshotly.rights.staff_urls")),
    path("orders/", include("headshotly.orders.urls")),
    path("staff/orders/", include("headshotly.orders.staff_urls")),
    path("staff/service/", objective_views.objectives_page, name="objectives"),
    path("staff/continuity/", include("headshotly.continuity.urls")),
    path("staff/findings/", include("headshotly.lifecycle.urls")),
    path("staff/", include("headshotly.access.urls")),
    path("staff/studio/", include("headshotly.studio.desk_urls")),
    path("staff/weaknesses/", include("headshotly.proof.staff_urls")),
    path("policy/", include("headshotly.policy.urls")),
    path("vendors/", include("headshotly.vendors.urls")),
    path("trust/", include("headshotly.proof.urls")),
    path(".well-known/security.txt", disclosure_views.security_txt, name="security-txt"),
    path("security.txt", disclosure_views.security_txt_elsewhere),
]
handler400 = "headshotly.frontdoor.views.bad_request"
handler403 = "headshotly.frontdoor.views.forbidden"
handler404 = "headshotly.frontdoor.views.not_found"
handler500 = "headshotly.frontdoor.views.server_error"
