"""The rival behind the service's own web server: ``python -m bench.rival.server PORT CERTIFICATE KEY PROCESSES``."""

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.rival.settings")  # noqa: TID251 - a program of its own


def main() -> None:
    from django.core.wsgi import get_wsgi_application

    from headshotly.frontdoor.server import THREADS, TIMEOUT_SECONDS, Web, tls_context

    port, certificate, key, processes = sys.argv[1:]
    context = tls_context(Path(certificate), Path(key))
    options = {
        "bind": f"127.0.0.1:{port}",
        "workers": int(processes),
        "threads": THREADS,
        "worker_class": "gthread",
        "certfile": certificate,
        "keyfile": key,
        "ssl_context": lambda _config, _default: context,
        "timeout": TIMEOUT_SECONDS,
        "keepalive": 5,
        "loglevel": "warning",
        "accesslog": None,
        "control_socket_disable": True,
    }
    Web(get_wsgi_application(), options).run()


if __name__ == "__main__":
    main()
