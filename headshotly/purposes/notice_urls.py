"""Addresses of the notices."""

from django.urls import path

from headshotly.purposes import notice_views as views

app_name = "notices"
urlpatterns = [
    path("", views.privacy, name="privacy"),
    path("notice.json", views.privacy_json, name="privacy-json"),
    path("collection/", views.collection, name="collection"),
    path("contact/", views.contact, name="contact"),
]
