"""Addresses of reports of weaknesses in the staff console."""

from django.urls import path

from headshotly.proof import weakness_views as views

app_name = "weaknesses"
urlpatterns = [
    path("", views.queue, name="queue"),
    path("<uuid:report_id>/", views.report_page, name="report"),
    path("<uuid:report_id>/words/", views.report_read, name="read"),
    path("<uuid:report_id>/mail/", views.report_mail, name="mail"),
    path("<uuid:report_id>/step/", views.report_step, name="step"),
    path("thanks/<uuid:thanks_id>/withdraw/", views.thanks_withdraw, name="withdraw-thanks"),
]
