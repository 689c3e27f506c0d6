"""Addresses of the trust page and of everything around it that anybody may read."""

from django.urls import path

from headshotly.proof import disclosure_views, trust_views

app_name = "trust"
urlpatterns = [
    path("", trust_views.page, name="page"),
    path("policy.json", trust_views.document, name="document"),
    path("changes.atom", trust_views.feed_here, name="feed-here"),
    path("badge.svg", trust_views.policy_badge, name="badge"),
    path("badge/<str:clause_id>.svg", trust_views.clause_badge, name="clause-badge"),
    path("report/", disclosure_views.report, name="report"),
    path("reporting/", disclosure_views.reporting_policy, name="reporting"),
    path("thanks/", disclosure_views.thanks, name="thanks"),
    path("threat-model/", disclosure_views.threat_model, name="threat-model"),
    path("openpgp-key.asc", disclosure_views.openpgp_key, name="openpgp-key"),
    path("<slug:tongue>/", trust_views.page_in, name="page-in"),
    path("<slug:tongue>/changes.atom", trust_views.feed, name="feed"),
]
