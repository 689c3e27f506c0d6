"""Addresses of the staff door."""

from django.urls import path

from headshotly.access import views

app_name = "access"
urlpatterns = [
    path("", views.desk, name="desk"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("enrol/<str:token>/", views.enrol, name="enrol"),
    path("enrol/<str:token>/code.svg", views.enrol_qr, name="enrol-qr"),
]
