"""Addresses of cases, breaches and readiness in the staff console."""

from django.urls import path

from headshotly.incidents import breach_views as breach
from headshotly.incidents import case_views as views
from headshotly.incidents import readiness_views as ready

app_name = "incidents"
urlpatterns = [
    path("", views.cases_page, name="cases"),
    path("cases/open/", views.case_open, name="case-open"),
    path("cases/<int:number>/", views.case_page, name="case"),
    path("cases/<int:number>/step/", views.case_step, name="case-step"),
    path("cases/<int:number>/contain/", views.contain, name="contain"),
    path("cases/<int:number>/evidence/", views.evidence_add, name="evidence-add"),
    path("cases/<int:number>/evidence/<uuid:evidence_id>/", views.evidence_read, name="evidence-read"),
    path("containment/<uuid:containment_id>/undo/", views.release, name="release"),
    path("alerts/<uuid:alert_id>/case/", views.alert_case, name="alert-case"),
    path("breaches/", breach.breaches_page, name="breaches"),
    path("breaches/<int:number>/", breach.breach_page, name="breach"),
    path("breaches/<int:number>/record/", breach.breach_record, name="breach-record"),
    path("breaches/<int:number>/scope/", breach.breach_scope, name="breach-scope"),
    path("breaches/<int:number>/step/", breach.breach_step, name="breach-step"),
    path("breaches/<int:number>/approve/", breach.breach_approve, name="breach-approve"),
    path("breaches/<int:number>/send/", breach.breach_send, name="breach-send"),
    path("breaches/<int:number>/draft/<slug:addressee>/", breach.notice_draft, name="notice-draft"),
    path("notices/<uuid:notice_id>/", breach.notice_pdf, name="notice-pdf"),
    path("on-call/", ready.oncall_page, name="on-call"),
    path("on-call/step/", ready.oncall_step, name="on-call-step"),
    path("exercises/", ready.exercises_page, name="exercises"),
    path("exercises/begin/", ready.exercise_begin, name="exercise-begin"),
    path("exercises/<uuid:exercise_id>/", ready.exercise_page, name="exercise"),
    path("exercises/<uuid:exercise_id>/step/", ready.exercise_step, name="exercise-step"),
    path("plan/", ready.plan_page, name="plan"),
]
