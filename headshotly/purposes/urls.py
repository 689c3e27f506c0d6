"""Addresses of the purposes room."""

from django.urls import path

from headshotly.purposes import views

app_name = "purposes"
urlpatterns = [
    path("<slug:activity>/", views.consent, name="consent"),
    path("<slug:activity>/withdraw/", views.withdraw, name="withdraw"),
]
