"""Addresses of *Your data*."""

from django.urls import path

from headshotly.rights import views

app_name = "rights"
urlpatterns = [
    path("", views.home, name="home"),
    path("everything/", views.know, name="know"),
    path("everything.pdf", views.know_pdf, name="know-pdf"),
    path("copies/", views.export_ask, name="export-ask"),
    path("copies/<uuid:export_id>/progress/", views.export_progress, name="export-progress"),
    path("copies/<uuid:export_id>/my-data.zip", views.export_download, name="export-download"),
    path("where/", views.where, name="where"),
    path("where.json", views.where_json, name="where-json"),
    path("delete/", views.delete, name="delete"),
    path("delete/cancel/", views.delete_cancel, name="delete-cancel"),
    path("processing/", views.processing, name="processing"),
    path("choices/", views.choose, name="choose"),
    path("keep/", views.keep, name="keep"),
    path("requests/", views.ask, name="ask"),
    path("requests/<uuid:request_id>/", views.one_request, name="request"),
    path("requests/<uuid:request_id>/withdraw/", views.withdraw, name="withdraw"),
    path("requests/<uuid:request_id>/appeal/", views.appeal, name="appeal"),
]
