"""Money as whole fen in integers, and its text in yuan at the edges."""

import re

FEN_PER_YUAN = 100
# With the fen included; sums of thousands of such amounts still fit 64 bits.
MOST_DIGITS = 15

_YUAN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,2}))?")


class MoneyError(ValueError):
    """The text is not an amount of money; `code` is `negative_amount` or `bad_amount`."""

    def __init__(self, code: str) -> None:
        """Keep the code alone: the text may be anything, so it is not repeated."""
        super().__init__(code)
        self.code = code


def parse_yuan(text: str) -> int:
    """Fen of a text in yuan with at most two decimals; raises MoneyError."""
    found = _YUAN.fullmatch(text)
    if found is None:
        raise MoneyError("bad_amount")
    sign, whole, fraction = found.group(1), found.group(2), found.group(3) or ""
    if len(whole) + len(fraction) > MOST_DIGITS:
        raise MoneyError("bad_amount")
    if sign:
        raise MoneyError("negative_amount")
    return int(whole) * FEN_PER_YUAN + int(fraction.ljust(2, "0"))


def yuan(fen: int) -> str:
    """Text in yuan with two decimals, `-` in front of what is below zero."""
    whole, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"
