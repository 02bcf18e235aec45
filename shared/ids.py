"""Ids made of names, as `uuid.uuid5` makes them, in half its time. PURE.

A transfer leads to some sixty of them: its messages, entries, letters, explanations.
"""

from hashlib import sha1
from uuid import UUID, SafeUUID


def uuid5_bytes(namespace: UUID, name: str) -> bytes:
    """The bytes of `uuid5`."""
    digest = bytearray(sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


def uuid5(namespace: UUID, name: str) -> UUID:
    """The same as `uuid.uuid5`, whose constructor looks at each way to make one."""
    made = object.__new__(UUID)
    object.__setattr__(made, "int", int.from_bytes(uuid5_bytes(namespace, name), "big"))
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made
