"""``GET /v/<token>``: where the camera of a phone lands after reading a venue code."""

import html

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from passlight.core.places.venue_code import VenueCodeError
from passlight.gateway.answers import message
from passlight.gateway.checkins import Checkins
from passlight.gateway.keys import NoKeyError

PAGE = """<!doctype html>
<html lang="zh-Hans"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{head}
<link rel="stylesheet" href="/static/tokens.css">
<link rel="stylesheet" href="/static/components.css">
<link rel="stylesheet" href="/static/pages.css">
<title>{title} · Passlight</title></head>
<body class="public"><div class="phone"><main class="public-main stack">
<h1>{title} <span class="en en-block" lang="en">{title_en}</span></h1>
<p>{text} <span class="en en-block" lang="en">{text_en}</span></p>{link}</main></div></body></html>
"""
LINK = """
<p><a class="btn btn-primary btn-wide" href="/me/">{text}
<span class="en" lang="en">{text_en}</span></a></p>
"""
POLICY = (
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)


class VenuePage:
    """Sends a good code on to the resident's page, and says so where it is not good."""

    def __init__(self, checkins: Checkins) -> None:
        self._checkins = checkins

    async def show(self, request: Request) -> Response:
        """Redirect, or show a plain page; nothing of a bad token is repeated."""
        token = request.path_params["token"]
        try:
            self._checkins.read_token(token)
        except (VenueCodeError, NoKeyError):
            words = message("gateway.venue-bad-next")
            link = LINK.format(text=html.escape(words.zh), text_en=html.escape(words.en))
            return plain_page("gateway.venue-bad", "gateway.venue-bad-help", status=404, link=link)
        # The token is base64url: it needs no encoding in an address.
        return RedirectResponse(f"/me/visit/?t={token}", status_code=303)


def plain_page(title: str, text: str, *, status: int, head: str = "", link: str = "") -> Response:
    """Return a page of two sentences in both languages: no script, and readable without style."""
    heading, body = message(title), message(text)
    page = PAGE.format(
        head=head,
        link=link,
        title=html.escape(heading.zh),
        title_en=html.escape(heading.en),
        text=html.escape(body.zh),
        text_en=html.escape(body.en),
    )
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(page, status_code=status, headers=headers, media_type="text/html")
