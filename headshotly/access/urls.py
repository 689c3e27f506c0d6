"""Addresses of the staff door."""

from django.urls import path

from headshotly.access import console_views as console
from headshotly.access import views

app_name = "access"
urlpatterns = [
    path("", views.desk, name="desk"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/options/", views.sign_in_options, name="sign-in-options"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("prove/", views.prove, name="prove"),
    path("prove/options/", views.prove_options, name="prove-options"),
    path("passkeys/", views.passkey_add, name="passkey-add"),
    path("passkeys/options/", views.passkey_options, name="passkey-options"),
    path("enrol/<str:token>/", views.enrol, name="enrol"),
    path("enrol/<str:token>/options/", views.enrol_options, name="enrol-options"),
    path("enrol/<str:token>/code.svg", views.enrol_qr, name="enrol-qr"),
    path("grants/", console.grants_page, name="grants"),
    path("grants/ask/", console.grant_ask, name="grant-ask"),
    path("grants/break-glass/", console.glass_break, name="glass-break"),
    path("grants/<uuid:grant_id>/", console.grant_page, name="grant"),
    path("grants/<uuid:grant_id>/decide/", console.grant_decide, name="grant-decide"),
    path("grants/<uuid:grant_id>/end/", console.grant_end, name="grant-end"),
    path("grants/<uuid:grant_id>/review/", console.glass_review, name="glass-review"),
    path("grants/<uuid:grant_id>/details/", console.grant_details, name="grant-details"),
    path("grants/<uuid:grant_id>/objects/<uuid:object_id>/", console.grant_object, name="grant-object"),
    path("customers/", console.customers, name="customers"),
    path("customers/<uuid:subject>/", console.customer, name="customer"),
    path("customers/<uuid:subject>/end-sessions/", console.customer_sessions_end, name="customer-sessions-end"),
    path("people/", console.people, name="people"),
    path("people/add/", console.people_add, name="people-add"),
    path("people/<uuid:member_id>/", console.person_change, name="person-change"),
    path("agreement/", console.agreement, name="agreement"),
    path("review/", console.access_review, name="review"),
    path("review/give-back/", console.right_give_back, name="right-give-back"),
    path("machines/", console.machines_page, name="machines"),
    path("machines/add/", console.machine_add, name="machine-add"),
    path("machines/tokens/revoke/", console.token_revoke, name="token-revoke"),
    path("machines/<uuid:account_id>/tokens/", console.token_issue, name="token-issue"),
    path("api/self/", console.whoami, name="api-self"),
    path("api/journal/", console.journal_head, name="api-journal"),
]
