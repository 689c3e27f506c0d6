"""Addresses of this room in the staff console."""

from django.urls import path

from headshotly.lifecycle import assurance_views, views

app_name = "lifecycle"
urlpatterns = [
    path("", views.findings, name="findings"),
    path("import/", views.take_in, name="import"),
    path("tests/", assurance_views.tests, name="tests"),
    path("tests/plan/", assurance_views.test_plan, name="test-plan"),
    path("tests/<uuid:test_id>/", assurance_views.test_step, name="test-step"),
    path("tests/<uuid:test_id>/report/", assurance_views.test_report, name="test-report"),
    path("trainings/", assurance_views.trainings, name="trainings"),
    path("trainings/record/", assurance_views.training_record, name="training-record"),
    path("releases/", assurance_views.release_list, name="releases"),
    path("releases/record/", assurance_views.release_record, name="release-record"),
    path("releases/<uuid:release_id>/review/", assurance_views.release_review, name="release-review"),
    path("releases/<uuid:release_id>/out/", assurance_views.release_out, name="release-out"),
    path("<slug:reference>/", views.finding_page, name="finding"),
    path("<slug:reference>/step/", views.finding_step, name="finding-step"),
    path("<slug:reference>/rate/", views.finding_rate, name="finding-rate"),
    path("<slug:reference>/decide/", views.finding_decide, name="finding-decide"),
]
