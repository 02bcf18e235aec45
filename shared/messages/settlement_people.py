"""What people ask of the books and decide about them: work items, proposals, decisions.

Everything about an item is keyed by what the item concerns (`about`: a person, a bank account, a
corridor, a window), so that it is ordered with it. `by` is the holder of the token that acted.
"""

from uuid import UUID

from pydantic import JsonValue

from shared.messages import ByTwo, Command, Event, Fen, Month, PersonCommand, Ranges, Text

Facts = dict[str, JsonValue]


class ItemCommand(Command):
    """Something a person does with an item; `roles` are those the person held. Not sent itself."""

    item: UUID
    about: Text
    by: Text
    roles: tuple[Text, ...] = ()
    why: Text = ""

    @property
    def key(self) -> str:
        return self.about


class Propose(ItemCommand):
    """The maker proposes an act: a declared command (`act`) with its fields (`body`), without who
    and why. An item that is not known yet is opened by it.
    """

    act: Text
    body: Facts
    reason: Text


class Approve(ItemCommand):
    """The checker approves: the proposal that was read, or the present one where none is named."""

    proposal: UUID | None = None


class Reject(ItemCommand):
    """The checker refuses, or the maker takes the proposal back."""

    proposal: UUID | None = None


class ItemEvent(Event):
    """What all events about an item say. Not sent itself."""

    item: UUID
    about: Text
    queue: Text
    subject: Text
    amount_fen: Fen | None = None

    @property
    def key(self) -> str:
        return self.about


class ItemOpened(ItemEvent):
    """Somebody must look at this."""

    facts: Facts


class ItemDone(ItemEvent):
    """Its cause is gone (`code` says how): nothing is left to decide."""

    code: Text


class ActProposed(ItemEvent):
    """A maker has proposed an act; another person has to decide."""

    proposal: UUID
    act: Text
    body: Facts
    by: Text
    reason: Text
    why: Text = ""


class ActApproved(ItemEvent):
    """Another person has approved: the act is on its way to its owner."""

    proposal: UUID
    act: Text
    by: Text
    why: Text = ""


class ActRejected(ItemEvent):
    """The proposal is refused, or was taken back."""

    proposal: UUID
    act: Text
    by: Text
    why: Text = ""


class ActRefused(ItemEvent):
    """What a person asked for changes nothing: `same_person`, `not_allowed`, `already_decided`."""

    code: Text
    act: Text | None = None
    by: Text | None = None


class MatchReceipt(Command, ByTwo):
    """Two people say whose money a part of a receipt is: up to `amount_fen`, else all that is left
    of it. With `others` it is for several, each as far as it is open. Keyed by the bank account.
    """

    account: str
    receipt: UUID
    part: int = 0
    transfer: UUID
    others: tuple[UUID, ...] = ()
    amount_fen: Fen | None = None

    @property
    def key(self) -> str:
        return self.account


class AskCorrection(PersonCommand):
    """The feed corrects a record (`refers_to`) that was released by `transfer`: two people of the
    region have to decide. `asked` is the feed's record, with what it wants.
    """

    asked: UUID
    refers_to: UUID
    transfer: UUID
    month: Month | None = None
    months: Ranges = ()
    balance_fen: Fen | None = None


class CloseCorrection(PersonCommand):
    """What two people decided about `refers_to` is done by the record `record`, or cannot be."""

    refers_to: UUID
    record: UUID
    code: Text | None = None
