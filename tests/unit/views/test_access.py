"""What a request needs to change something, spoken to without a browser: requests may be as wrong as they like."""

import re
from datetime import timedelta
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer

from flows.eligibility_hints import ELIGIBILITY_HINTS
from tests.unit.views.operating import ASHA, BINA, BINAS_LINE, ROSTER, sessions
from tests.unit.views.world import FLOW
from views.actions import all_actions
from views.attempts import MOST
from views.operators import Role, Roster
from views.sign_in import local
from views.site import FORMS

PAUSE = "/actions/pause-flow"
WANTED = {"flow": FLOW, "reason": "disk swap", "confirmed": "yes"}
ACTIONS = all_actions([ELIGIBILITY_HINTS], ["scheme_master"])


class Hand:
    """A client that follows no redirect and says of itself what a browser says."""

    def __init__(self, client):
        self.client = client
        self.origin = f"http://127.0.0.1:{client.port}"

    async def get(self, path, **headers):
        async with self.client.get(path, headers=headers, allow_redirects=False) as answer:
            return answer, await answer.text()

    async def csrf(self, path="/sign-in"):
        _, text = await self.get(path)
        return re.search(r'name="csrf" value="([^"]+)"', text)[1]

    async def post(self, path, fields, *, sent=None, **changes):
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        headers = {name: value for name, value in (headers | changes).items() if value is not None}
        body = sent if sent is not None else urlencode(fields)
        async with self.client.post(path, data=body, headers=headers, allow_redirects=False) as answer:
            return answer, await answer.text()

    async def sign_in(self, token=ASHA, **fields):
        return await self.post("/sign-in", {"csrf": await self.csrf(), "token": token} | fields)

    async def order(self, path=PAUSE, **changes):
        return await self.post(path, {"csrf": await self.csrf(path)} | WANTED | changes)


@pytest.fixture
def hand(client):
    return Hand(client)


async def routes(client):
    return [(route.method, route.resource.canonical) for route in client.app.router.routes()]


async def test_without_a_token_every_route_can_be_read_or_leads_to_the_sign_in_and_none_can_be_written(hand, client, world):
    found = await routes(client)
    assert {path for method, path in found if method == "POST"} == FORMS
    for _, path in found:
        place = path.replace("{action}", "pause-flow").replace("{flow}", FLOW)
        place = place + "/style.css" if path == "/static" else place
        answer, _ = await hand.get(place)
        assert answer.status in ({405} if path == "/sign-out" else {200, 303, 404}), place
        if answer.status == 303:
            assert answer.headers["Location"].startswith("/sign-in?next=")
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            async with client.request(method, place, data=WANTED, headers={"Origin": hand.origin}) as refused:
                assert refused.status == (403 if path in FORMS and method == "POST" else 405), (method, place)
    assert world.desk.orders == []


async def test_a_token_opens_a_session_that_scripts_and_other_sites_do_not_see(hand, world):
    answer, _ = await hand.sign_in(next="/actions")
    assert (answer.status, answer.headers["Location"]) == (303, "/actions")
    cookie = SimpleCookie(answer.headers.getall("Set-Cookie")[0])["sync-session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Strict", "/", "")
    assert "asha" not in cookie.value
    assert world.desk.notes == [("asha", "operator", "127.0.0.1", "sign in", None)]
    assert "asha (operator)" in (await hand.get("/"))[1]


async def test_by_tls_the_cookie_is_bound_to_this_host(world):
    async with TestClient(TestServer(world.application(sessions=sessions(world.clock, secure=True)))) as client:
        answer, _ = await Hand(client).get("/sign-in")
    (cookie,) = answer.headers.getall("Set-Cookie")
    assert cookie.startswith("__Host-sync-session=")
    assert "Secure" in cookie


async def test_a_sign_in_begins_a_session_of_its_own(hand):
    before = await hand.csrf()
    await hand.sign_in()
    assert before != await hand.csrf(PAUSE)


async def test_a_wrong_token_is_refused_and_kept_in_the_audit(hand, world):
    answer, text = await hand.sign_in("x" * 43)
    assert answer.status == 403
    assert 'role="alert"' in text
    assert "This token is not known" in text
    assert "x" * 43 not in text
    assert world.desk.notes == [("unknown", "none", "127.0.0.1", "sign in", "no such token")]
    assert (await hand.get(PAUSE))[0].status == 303


async def test_after_too_many_wrong_tokens_the_right_one_waits_too(hand, world):
    for _ in range(MOST):
        assert (await hand.sign_in("wrong"))[0].status == 403
    answer, text = await hand.sign_in()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "61")
    assert "Try again in 61 s" in text
    assert len(world.desk.notes) == MOST
    world.now += timedelta(seconds=61)
    assert (await hand.sign_in())[0].status == 303


async def test_an_order_is_carried_out_once_and_told_on_the_page_that_it_came_from(hand, world):
    await hand.sign_in()
    answer, _ = await hand.order(back="/?live=off")
    assert (answer.status, answer.headers["Location"]) == (303, "/?live=off")
    (order,) = world.desk.orders
    assert (order.action.name, order.who.name, order.who.role, order.origin) == ("pause-flow", "asha", "operator", "127.0.0.1")
    assert (order.reason, order.values, order.subject) == ("disk swap", {"flow": FLOW}, FLOW)
    assert "done: Pause a flow" not in (await hand.get("/partials/overview"))[1]
    assert "done: Pause a flow" in (await hand.get("/?live=off"))[1]
    assert "done: Pause a flow" not in (await hand.get("/?live=off"))[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": "http://evil.example", "Sec-Fetch-Site": None},
        {"Origin": "null", "Sec-Fetch-Site": None},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": None},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": None, "Sec-Fetch-Site": None},
    ],
    ids=str,
)
async def test_a_form_of_another_place_is_refused_also_with_the_right_token(hand, world, changes):
    await hand.sign_in()
    answer, text = await hand.post(PAUSE, WANTED | {"csrf": await hand.csrf(PAUSE)}, **changes)
    assert answer.status == 403
    assert "not sent by a page of this server" in text
    assert world.desk.orders == []


async def test_either_of_the_two_headers_is_enough(hand, world):
    await hand.sign_in()
    for changes in ({"Origin": None}, {"Sec-Fetch-Site": None}):
        answer, _ = await hand.post(PAUSE, WANTED | {"csrf": await hand.csrf(PAUSE)}, **changes)
        assert answer.status == 303
    assert len(world.desk.orders) == 2


@pytest.mark.parametrize("csrf", ["", "x", "ä" * 43])
@pytest.mark.parametrize("path", [PAUSE, "/sign-in", "/sign-out"])
async def test_a_form_without_the_token_of_its_session_is_refused(hand, world, path, csrf):
    await hand.sign_in()
    answer, text = await hand.post(path, WANTED | {"csrf": csrf, "token": BINA})
    assert answer.status == 403
    assert "not of this session" in text
    assert world.desk.orders == []


async def test_the_token_of_another_session_is_refused(hand, world):
    async with TestClient(TestServer(world.application())) as other:
        stranger = Hand(other)
        await stranger.sign_in(BINA)
        theirs = await stranger.csrf(PAUSE)
    await hand.sign_in()
    assert (await hand.post(PAUSE, WANTED | {"csrf": theirs}))[0].status == 403
    assert world.desk.orders == []


@pytest.mark.parametrize(
    ("sent", "kind", "status"),
    [("{}", "application/json", 400), ("a", "text/plain", 400), ("csrf=" + "x" * 70_000, None, 413)],
)
async def test_what_is_no_form_of_ours_is_refused(hand, sent, kind, status):
    await hand.sign_in()
    headers = {"Content-Type": kind} if kind else {}
    assert (await hand.post(PAUSE, {}, sent=sent, **headers))[0].status == status


async def test_a_session_ends_after_hours_and_its_forms_with_it(hand, world):
    await hand.sign_in()
    csrf = await hand.csrf(PAUSE)
    world.now += timedelta(hours=8)
    answer, text = await hand.post(PAUSE, WANTED | {"csrf": csrf})
    assert answer.status == 403
    assert "session has ended" in text
    assert (await hand.get(PAUSE))[0].status == 303
    assert world.desk.orders == []


async def test_who_signs_out_is_out_whoever_has_the_cookie(hand, client, world):
    await hand.sign_in()
    csrf, cookie = await hand.csrf(PAUSE), client.session.cookie_jar.filter_cookies(client.make_url("/"))["sync-session"].value
    answer, _ = await hand.post("/sign-out", {"csrf": csrf})
    assert answer.status == 303
    assert 'sync-session=""' in "".join(answer.headers.getall("Set-Cookie"))
    client.session.cookie_jar.update_cookies({"sync-session": cookie})
    assert (await hand.post(PAUSE, WANTED | {"csrf": csrf}))[0].status == 403
    assert world.desk.notes[-1] == ("asha", "operator", "127.0.0.1", "sign out", None)


async def test_a_session_ends_when_its_token_is_taken_away(world, tmp_path):
    file = tmp_path / "operators"
    file.write_text(ROSTER.replace(",", "\n"))
    async with TestClient(TestServer(world.application(sessions=sessions(world.clock, Roster("", file))))) as client:
        hand = Hand(client)
        await hand.sign_in()
        csrf = await hand.csrf(PAUSE)
        file.write_text(BINAS_LINE.line)
        answer, text = await hand.post(PAUSE, WANTED | {"csrf": csrf})
    assert answer.status == 403
    assert "not signed in any more" in text
    assert world.desk.orders == []


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA", "ä"])
async def test_a_forged_cookie_is_nobodys(hand, client, cookie):
    answer, _ = await hand.get(PAUSE, Cookie=f"sync-session={cookie}")
    assert answer.status == 303


async def test_a_cookie_of_one_kind_does_not_pass_for_the_other(hand, client):
    answer, _ = await hand.sign_in()
    notice = SimpleCookie(answer.headers.getall("Set-Cookie")[1])["sync-notice"].value
    client.session.cookie_jar.clear()
    assert (await hand.get(PAUSE, Cookie=f"sync-session={notice}"))[0].status == 303


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
async def test_who_has_not_the_role_sees_no_form_and_sends_none(hand, world, action):
    await hand.sign_in()
    path = f"/actions/{action.name}"
    shown, _ = await hand.get(path)
    sent, _ = await hand.post(path, {"csrf": await hand.csrf(PAUSE), "reason": "x", "confirmed": "yes"})
    assert shown.status == (200 if action.role is Role.OPERATOR else 403)
    assert (sent.status == 403) is (action.role is Role.ADMIN)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
@pytest.mark.parametrize("missing", ["reason", "confirmed"])
async def test_nothing_is_done_without_a_reason_and_a_confirmation(hand, world, action, missing):
    await hand.sign_in(BINA)
    given = {"flow": FLOW, "job": "scheme_master", "ids": "1", "partition": "0", "offset": "0", "hours": "1"}
    answer, text = await hand.order(f"/actions/{action.name}", **given, **{missing: " "})
    assert answer.status == 422
    assert f'<a href="#{missing}">' in text
    assert 'aria-invalid="true"' in text
    assert world.desk.orders == []


@pytest.mark.parametrize(
    ("action", "fields", "problem"),
    [
        ("pause-flow", {"flow": "nightly"}, "Flow: choose one of the list"),
        ("pause-flow", {"reason": "x" * 501}, "Reason: say in one line"),
        ("pause-flow", {"reason": "a\x00b"}, "Reason: say in one line"),
        ("run-job", {"job": "*"}, "Job: choose one of the list"),
        ("start-maintenance", {"hours": "99"}, "For: choose one of the list"),
        ("replay-partition", {"partition": "-1", "offset": "0"}, "Partition: write a whole number"),
        ("replay-partition", {"partition": "1", "offset": "9" * 30}, "From offset: write a whole number"),
        ("replay-letters", {"ids": " , "}, "Numbers: write 1 to 1,000 numbers"),
        ("replay-letters", {"ids": "1 2 x"}, "Numbers: write a whole number"),
        ("cancel-run", {"job": "scheme_master", "slot": "noon"}, "Scheduled for: write a time like"),
    ],
)
async def test_what_cannot_be_read_is_told_at_its_field_and_what_was_typed_stays(hand, world, action, fields, problem):
    await hand.sign_in()
    answer, text = await hand.order(f"/actions/{action}", **({"job": "scheme_master"} | fields))
    assert answer.status == 422
    assert problem in text
    assert fields.get("reason") or 'value="disk swap"' in text
    assert world.desk.orders == []


async def test_what_the_operations_refuse_is_told_on_the_form(hand, world):
    world.desk.refusal = "it is <stopped> already"
    await hand.sign_in()
    answer, text = await hand.order()
    assert answer.status == 409
    assert "This did not succeed: it is &lt;stopped&gt; already." in text
    assert f'<option value="{FLOW}" selected>' in text


async def test_an_action_that_does_not_exist_is_not_found(hand):
    await hand.sign_in()
    assert (await hand.get("/actions/drop-table"))[0].status == 404
    assert (await hand.post("/actions/drop-table", {"csrf": await hand.csrf(PAUSE)}))[0].status == 404


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: 1", "", "/a b"]
)
async def test_one_is_never_sent_to_another_place(path):
    assert local(path) == "/"


async def test_where_nobody_is_configured_the_page_says_how_to_begin(world):
    async with TestClient(TestServer(world.application(sessions=sessions(world.clock, Roster())))) as client:
        _, text = await Hand(client).get("/sign-in")
    assert "python -m cli token new NAME" in text
    assert "<form" not in text
