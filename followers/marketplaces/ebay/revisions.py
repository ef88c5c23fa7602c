"""When a listing may be changed once more: eBay revises each 250 times a calendar day, then not until the next.

https://developer.ebay.com/api-docs/sell/inventory/resources/inventory_item/methods/bulkUpdatePriceQuantity. Pure.
"""

from datetime import timedelta, timezone

from followers.marketplaces.terms import DAY_S

A_DAY = 250
FOR_ZEROS = 50
"""Only what shall not be sold any more may take these."""
AT_ONCE = 100
"""So many without a pause; what is left comes evenly over the day, so that the evening has some too."""
PACIFIC = timezone(timedelta(hours=-8))
"""eBay's days. In summer they begin an hour earlier, which we notice late: FOR_ZEROS is larger than that costs."""
PAUSE_S = DAY_S / (A_DAY - FOR_ZEROS - AT_ONCE + 1)


def wait_s(revised: int, left_s: float, *, urgent: bool) -> float:
    """``revised``: how often, on this day; ``left_s``: of the day. 0: it may be revised now. ``urgent``: to 0."""
    if urgent:
        return 0.0 if revised < A_DAY else left_s
    if revised < AT_ONCE:
        return 0.0
    if revised >= A_DAY - FOR_ZEROS:
        return left_s
    return max(0.0, (revised - AT_ONCE + 1) * PAUSE_S - (DAY_S - left_s))
