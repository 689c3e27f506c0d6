"""Addresses of this room in the staff console."""

from django.urls import path

from headshotly.continuity import views

app_name = "continuity"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("plan/", views.plan_page, name="plan"),
    path("plan/review/", views.plan_review, name="review"),
    path("drills/<uuid:drill_id>/", views.drill_page, name="drill"),
    path("drills/<uuid:drill_id>/report.pdf", views.drill_pdf, name="drill-pdf"),
    path("drills/<uuid:drill_id>/record.json", views.drill_record, name="drill-record"),
]
