"""People's data at rest and on the bus: person keys, sealed fields, blind keys.

A person's fields are sealed (AES-256-GCM) under a data key of their own, which is kept wrapped by
the master key in `cell.person_keys` and nowhere else: deleting that row erases the person
everywhere, and the books still balance. Bank lines are sealed under a key per month.
"""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from shared import identity
from shared.settings import Secrets

_NONCE, _KEY = 12, 32


class SealError(Exception):
    """The sealed text cannot be opened: another key, or it was changed."""


def seal(key: bytes, fields: Mapping[str, object]) -> str:
    """The fields as text that only `key` opens."""
    nonce = os.urandom(_NONCE)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, to_json(fields), None)).decode()


def unseal(key: bytes, sealed: str) -> dict[str, str]:
    """The fields in `sealed`. Raises SealError."""
    try:
        raw = b64decode(sealed, validate=True)
        opened = AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], None)
    except (InvalidTag, ValueError) as error:
        raise SealError("cannot be opened with this key") from error
    fields: dict[str, str] = from_json(opened)
    return fields


def blind(secret: bytes, form: str) -> str:
    """The key of a form of a name that tells nothing without the secret: 24 hex characters."""
    return hmac.new(secret, form.encode(), hashlib.sha256).digest()[:12].hex()


class Keyring:
    """The keys of this process, and those kept wrapped in the cell's database."""

    def __init__(self, secrets: Secrets) -> None:
        self._person = bytes.fromhex(secrets.person_key_secret)
        self._blind = bytes.fromhex(secrets.blind_key_secret)
        self._content = bytes.fromhex(secrets.content_key)
        # Derived, for all cells must read it: an account of one's region is paid to by all others.
        self.accounts = hmac.digest(self._blind, b"accounts of funds", hashlib.sha256)
        self._master = AESGCM(bytes.fromhex(secrets.master_key))

    def person_key(self, id_type: str, id_no: str) -> str:
        """The person key of a normalised ID: 32 hex digits, the same in the whole network."""
        return identity.person_key(self._person, id_type, id_no)

    def content(self, text: str) -> bytes:
        """A keyed hash of an upstream record's content, to tell a repetition from a conflict."""
        return hmac.digest(self._content, text.encode(), hashlib.sha256)[:16]

    def blind(self, forms: Iterable[str]) -> tuple[str, ...]:
        """The blind keys of the forms of a name (`shared.names`)."""
        return tuple(blind(self._blind, form) for form in forms)

    async def create_person_keys(
        self, db: asyncpg.Connection, persons: Iterable[str]
    ) -> dict[str, bytes]:
        """The data keys of these persons, made where there is none yet."""
        wanted = sorted(set(persons))
        if not wanted:
            return {}
        made = [os.urandom(_KEY) for _ in wanted]
        done = await db.execute(
            "INSERT INTO cell.person_keys (person, wrapped)"
            " SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING",
            wanted,
            list(map(self._wrap, made)),
        )
        if done == f"INSERT 0 {len(wanted)}":
            return dict(zip(wanted, made, strict=True))
        return await self.person_keys(db, wanted)

    async def person_keys(self, db: asyncpg.Connection, persons: Iterable[str]) -> dict[str, bytes]:
        """The data keys of those of `persons` who have one (an erased person has none)."""
        rows = await db.fetch(
            "SELECT person, wrapped FROM cell.person_keys WHERE person = ANY($1)", list(persons)
        )
        return {row["person"]: self._unwrap(row["wrapped"]) for row in rows}

    async def statement_key(self, db: asyncpg.Connection, month: str) -> bytes:
        """The key of the bank lines booked in `month` (`2026-03`), made where there is none."""
        await db.execute(
            "INSERT INTO cell.statement_keys (month, wrapped) VALUES ($1, $2)"
            " ON CONFLICT DO NOTHING",
            month,
            self._wrap(os.urandom(_KEY)),
        )
        wrapped = await db.fetchval(
            "SELECT wrapped FROM cell.statement_keys WHERE month = $1", month
        )
        return self._unwrap(wrapped)

    def _wrap(self, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._master.encrypt(nonce, key, None)

    def _unwrap(self, wrapped: bytes) -> bytes:
        return self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], None)
