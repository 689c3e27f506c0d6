"""Addresses of the archive; they stay as they are for good."""

from django.urls import path

from headshotly.rights import document_views as views

app_name = "documents"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:document>/", views.document, name="document"),
    path("<slug:document>/<str:old>..<str:new>/", views.comparison, name="comparison"),
    path("<slug:document>/<str:version>/", views.version, name="version"),
]
