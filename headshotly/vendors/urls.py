"""Addresses of the public list of vendors."""

from django.urls import path

from headshotly.vendors import views

app_name = "vendors"
urlpatterns = [
    path("", views.public_list, name="list"),
    path("vendors.json", views.public_json, name="json"),
    path("changes.atom", views.ChangesFeed(), name="feed"),
]
