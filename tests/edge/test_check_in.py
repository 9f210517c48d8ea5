"""A machine on a real hub: the code opens, wrong ones are few, and those of the web count with those at the machine."""

import secrets
from dataclasses import replace

from config.embedded import EmbeddedValkey
from hub.desk.lane import Office
from hub.edge.residents import WRONG_CODES
from hub.wire import messages as wire
from tests.edge.hubs import Served, Visitor
from tests.edge.test_residents import browsing, code_in, office

__all__ = ["office"]


async def told(hub: Served, request: wire.KioskRequest, path: str = "/ws/kiosk") -> wire.Reply:
    async with hub.open(path) as connection:
        visitor = Visitor(connection)
        await visitor.ask(request)
        while not visitor.replies:
            await visitor.hear()
        return visitor.replies[0]


def outcome(reply: wire.Reply) -> str:
    return reply.refusal.code if isinstance(reply.refusal, wire.RefusalBody) else "ok"


def check_in(number: str, code: str) -> wire.CheckInByCode:
    return wire.CheckInByCode(secrets.token_urlsafe(16), number, code)


async def test_number_and_code_put_a_number_from_home_into_its_lane(
    office: Office, valkey_server: EmbeddedValkey
) -> None:
    async with browsing(replace(office, web_check_in=True), valkey_server) as browser:
        _, ticket = await browser.take()
        await told(browser.hub, wire.Issue(secrets.token_urlsafe(16), ticket["lane"]))
        request = check_in(f" {ticket['number'].lower()}", f"{ticket['code'][:4]}-{ticket['code'][4:]}")
        answer = wire.AnswerBody(ticket["arrival"], ticket["number"], ticket["lane"], "waiting", 0, None)
        for _ in range(2):  # the first answer was lost
            assert await told(browser.hub, request) == wire.Reply(request.id, answer=answer)
        again = await told(browser.hub, check_in(ticket["number"], ticket["code"]))
        assert isinstance(again.refusal, wire.RefusalBody)
        assert (again.refusal.code, again.refusal.details["state"]) == ("WrongMove", "waiting")


async def test_wrong_codes_are_few_wherever_they_are_tried(office: Office, valkey_server: EmbeddedValkey) -> None:
    async with browsing(replace(office, web_check_in=True), valkey_server) as browser:
        _, ticket = await browser.take()
        number = ticket["number"]
        assert outcome(await told(browser.hub, check_in("A999", ticket["code"]))) == "NotYours"
        for count in range(WRONG_CODES - 1):
            assert outcome(await told(browser.hub, check_in(number, f"0000000{count}"))) == "NotYours"
        assert code_in(await browser.post("/t/find", number=number, code="00000009")) == "NotYours"
        assert outcome(await told(browser.hub, check_in(number, ticket["code"]))) == "TooManyTries"
        assert code_in(await browser.post("/t/find", number=number, code=ticket["code"])) == "TooManyTries"
