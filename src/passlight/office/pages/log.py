"""What the office writes into its log about a request: the route, never the address."""

import logging


class RouteOnly(logging.Filter):
    """Replaces Django's message, which holds the whole address, by status and route."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record about a request; let every record through."""
        request = getattr(record, "request", None)
        if request is not None:
            match = getattr(request, "resolver_match", None)
            route = match.route if match is not None else "no route"
            method = getattr(request, "method", "")
            record.msg = "%s %s /%s"
            record.args = (getattr(record, "status_code", ""), method, route)
        return True
