"""How operators sign in, as the settings say."""

from __future__ import annotations

from datetime import timedelta

from settings import Settings
from views.operators import Roster
from views.sessions import Sessions
from views.site import utc_now


def sessions_of(settings: Settings) -> Sessions:
    """All workers have the same payload keys, so that a session of one is known to the others."""
    web = settings.web
    return Sessions(
        Roster(web.operators.get_secret_value(), web.operators_file),
        utc_now,
        [key.strip() for key in settings.payload_keys.get_secret_value().split(",")],
        lifetime=timedelta(hours=web.session_hours),
        secure=web.secure_cookies,
    )
