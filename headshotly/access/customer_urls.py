"""Addresses of *Who opened my photos*."""

from django.urls import path

from headshotly.access import openings

app_name = "openings"
urlpatterns = [
    path("", openings.openings_page, name="page"),
    path("download/", openings.openings_download, name="download"),
]
