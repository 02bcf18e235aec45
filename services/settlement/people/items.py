"""Items opened and settled by the books themselves, and decided by two people.

`open_item` and `settle` belong into the decision that finds or removes the cause. Whatever opens
an item of a known subject names it in `Needs.subjects`, so that it is read first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from services.settlement.books import Books
from services.settlement.people.states import BOOKS, Item, ItemStep, item_id
from shared.decision import Unexpected, replace
from shared.messages import ByTwo, next_uuid
from shared.messages.settlement_people import ActRefused, Facts, ItemDone, ItemOpened


@dataclass(frozen=True, slots=True)
class Subject:
    """What an item is about: of which queue and region, keyed by what (`about`)."""

    queue: str
    region: str
    about: str
    subject: str

    @property
    def item(self) -> UUID:
        """The item's id."""
        return item_id(self.queue, self.region, self.subject)


def item_of(books: Books, item: UUID) -> Item | None:
    """An item, if it was ever opened."""
    return books.get(("item", item), Item)


def known(books: Books, subject: str) -> bool:
    """Whether anything was ever opened about a subject: most are settled before anybody asks."""
    return books.get(("item-about", subject), bool) is True


def open_item(
    books: Books, at: Subject, amount_fen: int | None, facts: Mapping[str, object] | None = None
) -> None:
    """Somebody must look at this; said once, and again only after it was settled or has changed."""
    before = item_of(books, at.item)
    if before is not None and before.state != "done" and before.amount_fen == amount_fen:
        return
    found = before or Item(at.about, at.item, at.queue, at.region, at.subject, BOOKS, books.at)
    found = replace(found, amount_fen=amount_fen, facts=facts or {})
    if found.state == "proposed":
        keep(books, found, "changed", BOOKS)
        return
    found = replace(found, state="open", opened_at=books.at)
    keep(books, found, "opened", BOOKS)
    books.say(ItemOpened(**about(found), facts=cast("Facts", found.facts)))


def settle(books: Books, item: UUID, code: str) -> None:
    """The cause is gone, or the act was done: nothing is left to decide."""
    found = item_of(books, item)
    if found is None or found.state == "done":
        return
    done = replace(found, state="done", decided_at=books.at)
    keep(books, done, "done", BOOKS, code=code)
    books.say(ItemDone(**about(done), code=code))


def settle_approved(books: Books, item: UUID, act: str) -> None:
    """The act that was approved is done."""
    known = item_of(books, item)
    if known is not None and known.state == "approved" and known.act == act:
        settle(books, item, "obeyed")


def give_back(books: Books, item: UUID, code: str) -> None:
    """The act that was approved could not be done: somebody has to look again."""
    found = item_of(books, item)
    if found is None or found.state != "approved":
        return
    refuse(books, replace(found, state="open"), code, BOOKS, found.act)


def need_two(message: ByTwo) -> None:
    """Raises Unexpected for an act that one person gives alone."""
    if not message.by_two:
        raise Unexpected("needs_two_people", "an act that moves money takes two people")


def refuse(books: Books, item: Item, code: str, by: str, act: str | None) -> None:
    """Says that it changes nothing. An item that was never opened is not opened by it."""
    if item_of(books, item.item) is not None:
        books.put(("item", item.item), item)
    _step(books, item, "refused", by, code=code, act=act)
    books.say(ActRefused(**about(item), code=code, act=act, by=by))


def keep(
    books: Books, item: Item, what: str, by: str, *, code: str | None = None, why: str | None = None
) -> None:
    """Keeps what has become of an item, with a step of its history."""
    books.put(("item", item.item), item)
    books.put(("item-about", item.subject), True)
    _step(books, item, what, by, code=code, why=why, act=item.act)


def _step(
    books: Books,
    item: Item,
    what: str,
    by: str,
    *,
    code: str | None = None,
    why: str | None = None,
    act: str | None = None,
) -> None:
    step = ItemStep(
        about=item.about,
        item=item.item,
        step=next_uuid(books.cause, f"{item.item}/{what}"),
        cause=books.cause,
        at=books.at,
        what=what,
        by=by,
        code=code,
        act=act,
        body=item.body if what == "proposed" else None,
        why=why or None,
    )
    books.put(("item-step", step.step), step)


def about(item: Item) -> dict[str, Any]:
    """What every event about an item says."""
    return {
        "to": item.region,
        "item": item.item,
        "about": item.about,
        "queue": item.queue,
        "subject": item.subject,
        "amount_fen": item.amount_fen,
    }
