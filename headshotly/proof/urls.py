"""Addresses of the trust page and of everything around it that anybody may read."""

from django.urls import path

from headshotly.proof import disclosure_views

app_name = "trust"
urlpatterns = [
    path("report/", disclosure_views.report, name="report"),
    path("reporting/", disclosure_views.reporting_policy, name="reporting"),
    path("thanks/", disclosure_views.thanks, name="thanks"),
    path("openpgp-key.asc", disclosure_views.openpgp_key, name="openpgp-key"),
]
