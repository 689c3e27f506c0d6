"""Addresses for people without an account."""

from django.urls import path

from headshotly.rights import public_views as views

app_name = "rights-public"
urlpatterns = [
    path("ask/", views.ask, name="ask"),
    path("requests/<str:token>/", views.follow, name="follow"),
    path("choices/", views.choices_page, name="choices"),
    path("choices/opt-out/", views.choices_set, name="choices-set"),
]
