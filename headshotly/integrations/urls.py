"""Addresses of *Your programs*."""

from django.urls import path

from headshotly.integrations import views

app_name = "integrations"
urlpatterns = [
    path("", views.home, name="home"),
    path("tokens/new/", views.token_new, name="token-new"),
    path("tokens/<uuid:token_id>/revoke/", views.token_revoke, name="token-revoke"),
    path("webhooks/new/", views.webhook_new, name="webhook-new"),
    path("webhooks/<uuid:endpoint_id>/", views.webhook, name="webhook"),
    path("webhooks/<uuid:endpoint_id>/remove/", views.webhook_remove, name="webhook-remove"),
    path("webhooks/<uuid:endpoint_id>/resume/", views.webhook_resume, name="webhook-resume"),
    path("webhooks/<uuid:endpoint_id>/test/", views.webhook_test, name="webhook-test"),
    path("deliveries/<uuid:delivery_id>/again/", views.redeliver, name="redeliver"),
]
