"""Addresses of the policy room."""

from django.urls import path

from headshotly.policy import views

app_name = "policy"
urlpatterns = [
    path("", views.policy_page, name="policy"),
]
