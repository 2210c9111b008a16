"""The WSGI application of the office."""

import multiprocessing
import os
import signal
import sys

from django.core.wsgi import get_wsgi_application

from passlight.runtime.processes import die_with_parent

server = multiprocessing.parent_process()
if server is not None:
    # A server's worker: were the server killed, it would stay, and go on to share the port
    # with the workers of its successor.
    die_with_parent(signal.SIGKILL)
    if os.getppid() != server.pid:  # killed before this line
        sys.exit(1)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "passlight.office.settings")  # noqa: TID251
application = get_wsgi_application()
