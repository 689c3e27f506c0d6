"""The map of the site: each room brings its own addresses."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("headshotly.accounts.urls")),
    path("studio/", include("headshotly.studio.urls")),
    path("consent/", include("headshotly.purposes.urls")),
    path("staff/", include("headshotly.access.urls")),
    path("policy/", include("headshotly.policy.urls")),
]
