"""Who asks over HTTP, what they may, and how they are refused."""

import hmac
import re
from typing import Annotated

from fastapi import Depends, Query, Request

from shared.settings import Holder


class Refusal(Exception):
    """An HTTP answer of status 4xx: a code, and a sentence in Chinese and English."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def holder(request: Request) -> Holder:
    """Who holds the bearer token of this request. Raises Refusal (401)."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        for token, who in request.app.state.tokens.items():
            if hmac.compare_digest(token.encode(), given.strip().encode()):
                found: Holder = who
                return found
    raise Refusal(401, "no_token", "需要有效的访问令牌 / a valid bearer token is needed")


Who = Annotated[Holder, Depends(holder)]
Limit = Annotated[int, Query(ge=1, le=10_000)]
_LONG_NUMBER = re.compile(r"\d{11}")
_LONGEST_REASON = 500


def reasoned(why: str) -> str:
    """Why an operator acts: kept for ever, so that it holds nothing personal. Raises Refusal."""
    if not why.strip():
        raise Refusal(422, "reason_missing", "请说明原因 / say why: a reason is needed")
    if len(why) > _LONGEST_REASON or "\x00" in why:
        raise Refusal(422, "reason_too_long", "原因过长 / at most 500 characters, and no NUL")
    if _LONG_NUMBER.search(why):
        text = "原因中不得含证件号、电话或账号 / no ID, phone or account number in a reason"
        raise Refusal(422, "reason_personal", text)
    return why


def everywhere(who: Holder) -> None:
    """A dead letter may be about any region: only who may see all may see, or settle, it."""
    if not who.may_see("*"):
        raise Refusal(403, "not_your_region", "需要全网权限 / only for holders of all regions")
