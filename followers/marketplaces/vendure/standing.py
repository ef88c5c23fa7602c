"""How a Vendure shop is set up, and what of that keeps levels or orders from being right. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

MAY = ("ReadCatalog", "UpdateCatalog", "ReadOrder", "ReadStockLocation")
STANDING = """query($location: ID!) {
  me { channels { token permissions } } activeChannel { token }
  globalSettings { trackInventory outOfStockThreshold }
  stockLocation(id: $location) { name } stockLocations { totalItems }
}"""


def findings_of(standing: Mapping[str, Any], location: str) -> Iterator[str]:
    settings = standing["globalSettings"]
    if standing["stockLocation"] is None:
        yield f"there is no stock location with the id {location}: set the channel's location to one that there is"
    if (count := standing["stockLocations"]["totalItems"]) > 1:
        yield (
            f"Vendure has {count} stock locations in this channel of its, and does not tell which an order takes from:"
            " give each location a channel of Vendure, and name its token"
        )
    if not settings["trackInventory"]:
        yield "Vendure does not track stock: switch trackInventory on in its global settings"
    if (threshold := settings["outOfStockThreshold"]) < 0:
        yield f"Vendure sells {-threshold} more than there are: set outOfStockThreshold to 0 in its global settings"
    own = [one for one in standing["me"]["channels"] if one["token"] == standing["activeChannel"]["token"]]
    granted = {one for channel in own for one in channel["permissions"]}
    if missing := [one for one in MAY if one not in granted]:
        yield f"the administrator may not do all that is needed: give its role {', '.join(missing)}"
