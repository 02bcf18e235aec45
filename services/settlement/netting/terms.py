"""When and where there is netting, as the policy files have it. PURE."""

from datetime import date, datetime

from shared.calendar import SHANGHAI
from shared.regions import Regions


class Terms:
    """The rules of the provinces, in `regions`."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions

    def province_of(self, origin: str, destination: str, day: date) -> str | None:
        """The province that nets what is released on a day; None where it is remitted."""
        try:
            found = self.regions.clearing(origin, destination, day)
        except KeyError:
            return None  # whoever moves the money says that a region is not known
        return found.code if found else None

    def publish_at(self, province: str, month: int) -> datetime:
        """When the sheet of a month comes out: on a day of the next."""
        found = self.regions.province(province)
        assert found is not None, province
        return found.publish_at(month)

    def answer_by(self, province: str, at: datetime) -> datetime:
        """Until when a sheet that came out then can be disputed."""
        found = self.regions.province(province)
        assert found is not None, province
        days = found.netting_on(at.astimezone(SHANGHAI).date()).answer_working_days
        return self.regions.calendar(province).deadline(at, days)


NEVER = Terms(Regions(()))
"""Every corridor remits."""
