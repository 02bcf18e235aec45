"""The text of a bank file, piece by piece: whatever its size, little of it is in memory. PURE."""

import codecs
import re
from collections.abc import Iterator

from services.settlement.lines import StatementError

_PIECE = 1 << 16
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_KNOWN = {"utf-8": "utf-8-sig", "utf8": "utf-8-sig", "us-ascii": "utf-8-sig", "ascii": "utf-8-sig"}
_KNOWN |= dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936"), "gb18030")


def pieces(body: bytes) -> Iterator[str]:
    """The text of a file in UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030.

    Raises StatementError, before anything is given out, where it is none of them.
    """
    if body.startswith(_COMPRESSED):
        raise StatementError("compressed")
    for encoding in _encodings(body):
        if _is(body, encoding):
            return _decoded(body, encoding)
    raise StatementError("unreadable")


def _encodings(body: bytes) -> tuple[str, ...]:
    if body.startswith(_UTF_16):
        return ("utf-16",)
    declared = _DECLARED.match(body.removeprefix(codecs.BOM_UTF8)[:300])
    if declared is None:
        return ("utf-8-sig", "gb18030")
    # What a file says of itself is not guessed otherwise: names would come out as other names.
    known = _KNOWN.get(declared.group(1).decode("ascii").lower())
    return (known,) if known else ()


def _is(body: bytes, encoding: str) -> bool:
    try:
        return not any("\x00" in piece for piece in _decoded(body, encoding))
    except UnicodeDecodeError:
        return False


def _decoded(body: bytes, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(body), _PIECE):
        yield decoder.decode(body[start : start + _PIECE])
    yield decoder.decode(b"", final=True)
