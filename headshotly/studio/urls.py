"""Addresses of the studio."""

from django.urls import path

from headshotly.studio import views

app_name = "studio"
urlpatterns = [
    path("", views.home, name="home"),
    path("upload/", views.upload, name="upload"),
    path("photos/<uuid:photo_id>/preview.jpg", views.photo_preview, name="photo-preview"),
    path("photos/<uuid:photo_id>/seen.jpg", views.photo_seen, name="photo-seen"),
    path("photos/<uuid:photo_id>/delete/", views.photo_delete, name="photo-delete"),
    path("start/", views.start, name="start"),
    path("shoots/<uuid:shoot_id>/", views.shoot, name="shoot"),
    path("shoots/<uuid:shoot_id>/progress/", views.progress, name="progress"),
    path("shoots/<uuid:shoot_id>/cancel/", views.cancel, name="cancel"),
    path("shoots/<uuid:shoot_id>/redo/", views.redo, name="redo"),
    path("shoots/<uuid:shoot_id>/headshots.zip", views.download_all, name="download-all"),
    path("headshots/<uuid:headshot_id>.jpg", views.headshot, name="headshot"),
    path("headshots/<uuid:headshot_id>/favourite/", views.favourite, name="favourite"),
    path("headshots/<uuid:headshot_id>/download/", views.download, name="download"),
    path("headshots/<uuid:headshot_id>/delete/", views.headshot_delete, name="headshot-delete"),
    path("delete-everything/", views.delete_everything, name="delete-everything"),
    path("receipts/<uuid:receipt_id>/", views.receipt, name="receipt"),
]
