"""wait and clock: when everything is handled, and business time in a sandbox."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import SERVICES, Client, Refused, connected
from services.monitor.commands.screen import Json
from services.monitor.commands.waiting import settle, told

_PANEL = "Time"
_WAIT_SECONDS = 600.0
_SPAN = re.compile(r"(\d{1,5})(wd|d|h)")
_MOST_DAYS = 3660
_HOURS_A_DAY = 24
# The same due date again and again although everything is handled: a timer that never fires.
_STOPS_ALIKE = 3

OnStop = Callable[[datetime], None]


def wait(
    *,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Give up then, exit 1.")
    ] = _WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Return when every message so far is handled."""
    with connected() as client, screen.working("waiting", quiet=as_json) as say:
        rows = settle(client, timeout, lambda rows: say(told(rows)))
    document = {"settled": True, "services": rows}
    screen.answer(document, as_json, lambda: "everything so far is handled")


def clock_now(client: Client) -> datetime:
    """The business time."""
    return datetime.fromisoformat(client.get("monitor", "/v1/clock")["at"])


def set_clock(client: Client, at: datetime) -> None:
    """Put the business clock to `at`, in a sandbox. Raises Refused."""
    client.post("monitor", "/v1/clock", {"at": at.isoformat()})


def next_due(client: Client) -> datetime | None:
    """The earliest due date of all services."""
    found = [client.get(name, "/v1/due")["next"] for name in SERVICES]
    return min((datetime.fromisoformat(at) for at in found if at), default=None)


def advance(
    client: Client,
    target: datetime,
    on_stop: OnStop = lambda _: None,
    seconds: float = _WAIT_SECONDS,
    now: datetime | None = None,
) -> list[datetime]:
    """Go to `target` from due date to due date, everything handled at each; the stops made.

    `target` is compared with `now`, as it was read when `target` was made, for the clock runs on;
    without it the clock is read. A past target is set at once: only the server knows whether
    something has happened already. Raises Refused when it has, when this is no sandbox, or when
    after `seconds` at one stop something is still pending.
    """
    if target < (now or clock_now(client)):
        set_clock(client, target)
        on_stop(target)
        return [target]
    settle(client, seconds)
    stops: list[datetime] = []
    while not stops or stops[-1] < target:
        due = next_due(client)
        stop = target if due is None else min(due, target)
        if stops[-_STOPS_ALIKE:] == [stop] * _STOPS_ALIKE:
            raise Refused("clock_stuck", f"what is due at {stop.isoformat()} does not happen")
        _reach(client, stop)
        settle(client, seconds)
        stops.append(stop)
        on_stop(stop)
    return list(dict.fromkeys(stops))


def _reach(client: Client, stop: datetime) -> None:
    """Set the clock to `stop`, unless it has come there by itself: it runs on while we wait."""
    if stop <= clock_now(client):
        return
    try:
        set_clock(client, stop)
    except Refused as refused:
        if refused.code != "clock_goes_forward":
            raise


def after(now: datetime, span: str) -> datetime:
    """The instant `15wd` (working days), `3d` or `12h` after `now`, at the same time of day.

    Raises typer.BadParameter.
    """
    from shared.calendar import SHANGHAI, WorkingCalendar

    number, unit = _counted(span)
    local = now.astimezone(SHANGHAI)
    if unit == "h":
        return local + timedelta(hours=number)
    if unit == "d":
        return local + timedelta(days=number)
    day = WorkingCalendar().add_working_days(local.date(), number)
    return datetime.combine(day, local.timetz())


def _counted(span: str) -> tuple[int, str]:
    """The number and the unit of a span. Raises typer.BadParameter."""
    found = _SPAN.fullmatch(span)
    if found is None:
        raise typer.BadParameter("a span is like 15wd (working days), 3d or 12h")
    number, unit = int(found[1]), found[2]
    most = _MOST_DAYS * _HOURS_A_DAY if unit == "h" else _MOST_DAYS
    if number > most:
        raise typer.BadParameter(f"a span is at most {most}{unit}")
    return number, unit


def moment(text: str) -> datetime:
    """An ISO 8601 time, in Asia/Shanghai where it has no offset. Raises typer.BadParameter."""
    from shared.calendar import SHANGHAI

    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("a time is like 2026-03-02T09:30:00+08:00") from error
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


clock = typer.Typer(help="Business time: show, set, advance (sandbox only).")


@clock.callback(invoke_without_command=True)
def show(context: typer.Context, *, as_json: Json = False) -> None:
    """Business time. In a sandbox it can be put forward, through every due date on the way."""
    if context.invoked_subcommand is not None:
        return
    with connected() as client:
        document = {"now": clock_now(client).isoformat(), "next_due": _text(next_due(client))}
    screen.answer(document, as_json, lambda: f"{document['now']}  next due: {document['next_due']}")


@clock.command("set")
def set_to(
    at: Annotated[str, typer.Argument(metavar="T", help="2026-03-02T09:30:00+08:00")],
    *,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds at one stop.")] = _WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Put the clock forward to a time; back only while nothing has happened."""
    target = moment(at)
    _go(lambda _: target, timeout, as_json=as_json)


@clock.command("advance")
def advance_by(
    span: Annotated[str, typer.Argument(metavar="SPAN", help="15wd, 3d or 12h")],
    *,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds at one stop.")] = _WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Put the clock forward by working days, days or hours."""
    _counted(span)
    _go(lambda now: after(now, span), timeout, as_json=as_json)


def _go(target: Callable[[datetime], datetime], seconds: float, *, as_json: bool) -> None:
    def tell(stop: datetime) -> None:
        if not as_json:
            typer.echo(stop.isoformat())

    with connected() as client:
        now = clock_now(client)
        stops = advance(client, target(now), tell, seconds, now)
        document = {"now": _text(clock_now(client)), "stops": [stop.isoformat() for stop in stops]}
    screen.answer(document, as_json, lambda: f"it is {document['now']}")


def _text(at: datetime | None) -> Any:  # noqa: ANN401 a JSON value
    return None if at is None else at.isoformat()


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.command(rich_help_panel=_PANEL)(wait)
    app.add_typer(clock, name="clock", rich_help_panel=_PANEL)
