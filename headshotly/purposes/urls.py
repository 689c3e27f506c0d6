"""Addresses of the purposes room."""

from django.urls import URLPattern

app_name = "purposes"
urlpatterns: list[URLPattern] = []
