"""Every route that the intake has, asked by a stranger."""

from http import HTTPStatus

import httpx

from callbacks.site import create_application
from flows.callback_registry import CALLBACKS
from tests.support.callbacks import FakePublisher, body_of, settings

WRITING = ("POST", "PUT", "PATCH", "DELETE")


async def test_of_the_intake_health_and_figures_can_be_read_and_nothing_can_be_posted_unsigned():
    publisher = FakePublisher()
    application = create_application(settings(), publisher)
    posted = {callback.path: body_of(callback) for callback in CALLBACKS}
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake.example") as client:
        assert {route.path for route in application.routes} == {*posted, "/livez", "/readyz", "/metrics", "/openapi.json"}
        for route in application.routes:
            reading = await client.get(route.path)
            assert reading.status_code == (HTTPStatus.METHOD_NOT_ALLOWED if route.path in posted else HTTPStatus.OK), route.path
            for method in WRITING:
                sent = posted.get(route.path, "{}").encode()
                answer = await client.request(method, route.path, content=sent, headers={"content-type": "application/json"})
                unsigned = method == "POST" and route.path in posted
                refused = HTTPStatus.UNAUTHORIZED if unsigned else HTTPStatus.METHOD_NOT_ALLOWED
                assert answer.status_code == refused, (method, route.path)
    assert publisher.records == []
