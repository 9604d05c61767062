"""What members reach by their own links: their page, and the end of their mail with one click."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.notifier.api import application
from services.notifier.contact import Contact

ACCRUED = "bonus.points.accrued.v1.pending"
WHY = (
    "You earned 0.40 points for your purchase (krakow-12). 0.40 points can be spent from 19 March 2026. "
    "0.40 points: valid through 30 September 2026."
)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def browser(notifier: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A member's browser: it has no token but the link."""
    app = application(notifier.settings, notifier.parts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://club.example") as client:
        yield client


async def reader(notifier: Any, language: str = "en") -> UUID:
    """A member with mail, who reads a language."""
    member = uuid4()
    await notifier.contacts.put("default", member, Contact("zofia@example.com", "Zofia"))
    await notifier.contacts.put_preferences("default", member, language=language, email_allowed=True, muted=frozenset())
    return member


def text_of(page: str) -> list[str]:
    """What a page says, line by line."""
    body = re.sub(r"<style>.*?</style>|<title>.*?</title>", "", page, flags=re.DOTALL)
    lines = (re.sub(r"\s+", " ", line).strip() for line in re.sub(r"<[^>]+>", " ", body).splitlines())
    return [line for line in lines if line]


async def test_a_mail_leads_to_the_members_page(notifier: Any, browser: httpx.AsyncClient) -> None:
    """Balance, what happened and why, in the member's language; nobody may keep or embed it."""
    member = await reader(notifier)
    await notifier.take(notifier.event(ACCRUED, member))
    await notifier.sender().send_due()
    (mail,) = notifier.sink.received()
    plain = mail.get_body(("plain",)).get_content()
    link = re.search(r"https://club.example/m/\S+", plain)
    assert link is not None
    page = await browser.get(link.group())
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert text_of(page.text) == [
        "Your points",
        "grocer",
        "0.00 points available; 0.40 points pending",
        "as of 5 March 2026, 17:00",
        "What happened",
        f"5 March 2026 You earned 0.40 points {WHY}",
        "You receive messages by mail.",
        "Send me no more mail",
    ]


async def test_a_page_knows_the_newest_event_of_each_account(notifier: Any, browser: httpx.AsyncClient) -> None:
    """Whatever the order in which they come; the tier stays until it changes; a merged account is not shown."""
    member = await reader(notifier)
    other = {"account_id": str(uuid4()), "programme": "diner"}
    tier = notifier.event("bonus.tier.changed.v1.upgrade", member, version=3)
    old = notifier.event(ACCRUED, member, version=1)
    new = notifier.event(ACCRUED, member, version=4)
    new["data"]["balances"] = {"points": {"scale": 2, "pending": 0, "available": 777, "held": 100, "debt": 5}}
    await notifier.take(new, tier)
    await notifier.take(old)
    await notifier.take(notifier.event(ACCRUED, member, version=1, **other))
    await notifier.take(notifier.event("bonus.account.merged.v1.into-survivor", member, version=2, **other))
    page = text_of((await browser.get("/m/" + notifier.links.token("page", "default", member))).text)
    assert page[1:4] == ["grocer", "7.77 points available; 1.00 points on hold; 0.05 points owed", "Level: bronze"]
    assert "diner" not in page


@pytest.mark.parametrize("language", ["pl", "ru", "en"])
async def test_an_empty_page_says_so_in_each_language(notifier: Any, browser: httpx.AsyncClient, language: str) -> None:
    """A member who was just enrolled finds no riddle."""
    member = await reader(notifier, language)
    page = await browser.get("/m/" + notifier.links.token("page", "default", member))
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    assert len(text_of(page.text)) == 4


async def test_one_click_ends_the_mail_and_another_resumes_it(notifier: Any, browser: httpx.AsyncClient) -> None:
    """As the headers of the mail say (RFC 8058); looking alone changes nothing, and twice is once."""
    member = await reader(notifier)
    await notifier.take(notifier.event(ACCRUED, member))
    await notifier.sender().send_due()
    (mail,) = notifier.sink.received()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(mail["List-Unsubscribe"]).strip("<>")

    async def told() -> str:
        (verdict,) = await notifier.take(notifier.event(ACCRUED, member))
        return str(verdict.code or "told")

    assert (await browser.get(link)).status_code == 200
    assert await told() == "told"
    for _ in range(2):
        ended = await browser.post(link, data=ONE_CLICK)
        assert (ended.status_code, text_of(ended.text)[0]) == (200, "You receive no messages by mail.")
    assert await told() == "channel_refused"
    assert text_of((await browser.post(link, data={"mail": "on"})).text)[0] == "You receive messages by mail."
    assert await told() == "told"
    recipient, _ = await notifier.contacts.find("default", member)
    assert (recipient.language, recipient.muted) == ("en", frozenset())


async def test_a_form_on_the_page_goes_where_it_says(notifier: Any, browser: httpx.AsyncClient) -> None:
    """The address in the form is relative, so it works behind any prefix."""
    member = await reader(notifier)
    page = await browser.get("/m/" + notifier.links.token("page", "default", member))
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None
    ended = await browser.post(str(page.url.join(action.group(1))), data={"mail": "off"})
    assert text_of(ended.text)[0] == "You receive no messages by mail."
    again = re.search(r'action="([^"]+)"', ended.text)
    assert again is not None
    resumed = await browser.post(str(ended.url.join(again.group(1))), data={"mail": "on"})
    assert text_of(resumed.text)[0] == "You receive messages by mail."


async def test_A6_an_erased_members_links_lead_nowhere(notifier: Any, browser: httpx.AsyncClient) -> None:
    """410; nothing of the accounts is kept for the page, and no click brings the member back."""
    member = await reader(notifier)
    await notifier.take(notifier.event(ACCRUED, member))
    await notifier.take(notifier.event("bonus.member.erased.v1.on-request", member))
    unsubscribe = "/v1/unsubscribe/" + notifier.links.token("unsubscribe", "default", member)
    answers = [
        await browser.get("/m/" + notifier.links.token("page", "default", member)),
        await browser.get(unsubscribe),
        await browser.post(unsubscribe, data={"mail": "on"}),
    ]
    assert [each.status_code for each in answers] == [410] * 3
    assert await notifier.pool.fetchval("select count(*) from standing") == 0
    assert await notifier.pool.fetchval("select count(*) from recipient") == 0


async def test_a_link_that_was_not_made_here_opens_nothing(notifier: Any, browser: httpx.AsyncClient) -> None:
    """Altered, cut, made for another purpose, or no link at all: 404 and a page that a person understands."""
    member = await reader(notifier)
    token = notifier.links.token("page", "default", member)
    altered = ("A" if token[0] != "A" else "B") + token[1:]
    paths = [f"/m/{altered}", f"/m/{token[:-4]}", "/m/x", "/m/" + "x" * 500, f"/v1/unsubscribe/{token}", "/m/%C5%81"]
    answers = [await browser.get(path) for path in paths]
    assert [each.status_code for each in answers] == [404] * len(paths)
    assert {text_of(each.text)[0] for each in answers} == {"Ten link nie działa"}


async def test_no_account_is_kept_of_members_who_cannot_be_told(notifier: Any) -> None:
    """Strangers' events leave nothing behind."""
    await notifier.take(notifier.event(ACCRUED, uuid4()))
    assert await notifier.pool.fetchval("select count(*) from standing") == 0
