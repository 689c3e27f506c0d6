"""The rival behind the service's own web server: ``python -m bench.rival.server PORT CERTIFICATE KEY PROCESSES``."""

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.rival.settings")  # noqa: TID251 - a program of its own


def main() -> None:
    from django.core.wsgi import get_wsgi_application

    from headshotly.frontdoor.server import https

    port, certificate, key, processes = sys.argv[1:]
    application = get_wsgi_application()
    https(
        application,
        port=int(port),
        host="127.0.0.1",
        certificate=Path(certificate),
        key=Path(key),
        workers=int(processes),
    ).run()


if __name__ == "__main__":
    main()
