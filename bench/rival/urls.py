"""Addresses of the rival."""

from typing import Any

from django.conf import settings  # noqa: TID251 - a project of its own
from django.contrib.auth.views import LoginView
from django.urls import path

from bench.rival import dressed, views

urlpatterns: list[Any] = [
    path("sign-in/", LoginView.as_view(template_name="sign_in.html"), name="sign-in"),
    path("gallery/", views.gallery, name="gallery"),
    path("pictures/<uuid:picture_id>.jpg", views.picture, name="picture"),
    path("pictures/<uuid:picture_id>/download/", views.download, name="download"),
    path("upload/plain/", views.upload_plain, name="upload-plain"),
    path("upload/pictures/", views.upload_pictures, name="upload-pictures"),
]

if hasattr(settings, "STYLES"):  # the dressed one
    urlpatterns = dressed.addresses([path("gallery/", dressed.gallery, name="gallery"), *urlpatterns])
