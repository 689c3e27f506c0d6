"""The application as a web server sees it."""

from django.core.wsgi import get_wsgi_application

from headshotly.continuity.marker import refuse_while_restoring

refuse_while_restoring()
application = get_wsgi_application()
