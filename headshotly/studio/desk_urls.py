"""Addresses of the studio's page for staff; frontdoor puts them under the staff door."""

from django.urls import path

from headshotly.studio import desk_views

app_name = "studio-desk"
urlpatterns = [path("customers/<uuid:subject>/", desk_views.work, name="work")]
