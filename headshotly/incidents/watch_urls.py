"""Addresses of alerts, events, rules and blocks in the staff console."""

from django.urls import path

from headshotly.incidents import watch_views as views

app_name = "watch"
urlpatterns = [
    path("", views.alerts_page, name="alerts"),
    path("list/", views.alerts_list, name="alerts-list"),
    path("alerts/<uuid:alert_id>/", views.alert_page, name="alert"),
    path("alerts/<uuid:alert_id>/close/", views.alert_close, name="alert-close"),
    path("events/", views.events_page, name="events"),
    path("events/<int:event_id>/", views.event_page, name="event"),
    path("rules/", views.rules_page, name="rules"),
    path("blocks/", views.blocks_page, name="blocks"),
    path("blocks/<int:block_id>/lift/", views.block_lift, name="block-lift"),
]
