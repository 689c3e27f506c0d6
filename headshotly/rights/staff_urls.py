"""Addresses of this room in the staff console."""

from django.urls import path

from headshotly.rights import governance_views as governance
from headshotly.rights import staff_views as views
from headshotly.rights import vendor_views as vendors

app_name = "rights-staff"
urlpatterns = [
    path("", views.queue_page, name="queue"),
    path("requests/<uuid:request_id>/", views.request_page, name="request"),
    path("requests/<uuid:request_id>/words/", views.request_read, name="read"),
    path("requests/<uuid:request_id>/step/", views.request_act, name="step"),
    path("requests/<uuid:request_id>/photo/", views.photo_objection, name="photo"),
    path("recipients/<uuid:notice_id>/", views.recipient_told, name="told"),
    path("record/", views.processing_record, name="record"),
    path("assessments/", governance.assessments_page, name="assessments"),
    path("assessments/write/", governance.assessment_write, name="assessment-write"),
    path("assessments/<uuid:assessment_id>/decide/", governance.assessment_decide, name="assessment-decide"),
    path("risks/", governance.risks_page, name="risks"),
    path("risks/write/", governance.risk_write, name="risk-write"),
    path("vendors/", vendors.vendors_page, name="vendors"),
    path("vendors/write/", vendors.vendor_write, name="vendor-write"),
    path("vendors/decide/", vendors.vendor_decide, name="vendor-decide"),
    path("documents/", governance.documents_page, name="documents"),
    path("documents/publish/", governance.publish, name="publish"),
]
