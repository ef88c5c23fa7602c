"""Variants of a Vendure shop: their levels in one stock location, what is asked of them and what is set. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from followers.marketplaces.terms import Applied, Listing, Outcome, Refused, Stale, Target

LEVELS = "stockLevels { stockLocationId stockOnHand stockAllocated }"
VARIANTS = f"""query($options: ProductVariantListOptions) {{
  globalSettings {{ trackInventory }}
  productVariants(options: $options) {{ totalItems items {{ id sku name trackInventory {LEVELS} }} }}
}}"""
SET = f"mutation($input: [UpdateProductVariantInput!]!) {{ updateProductVariants(input: $input) {{ id {LEVELS} }} }}"


@dataclass(frozen=True, slots=True)
class Level:
    """``held``: by Vendure's own orders."""

    on_hand: int
    held: int

    @property
    def offered(self) -> int:
        return max(0, self.on_hand - self.held)

    @classmethod
    def of(cls, variant: Mapping[str, Any], location: str) -> "Level":
        """Where nothing ever lay there is no level yet."""
        for one in variant["stockLevels"]:
            if one["stockLocationId"] == location:
                return cls(one["stockOnHand"], one["stockAllocated"])
        return cls(0, 0)


@dataclass(frozen=True, slots=True)
class Variant:
    """``counted``: whether its stock is tracked there at all."""

    id: str
    sku: str
    name: str
    level: Level
    counted: bool

    @property
    def listing(self) -> Listing:
        return Listing(self.id, self.level.offered if self.counted else None, sku=self.sku, title=self.name)


def variants_of(found: Mapping[str, Any], location: str) -> list[Variant]:
    """Of an answer to ``VARIANTS``."""
    tracked = {"TRUE": True, "FALSE": False, "INHERIT": found["globalSettings"]["trackInventory"]}
    return [
        Variant(one["id"], one["sku"], one["name"], Level.of(one, location), tracked[one["trackInventory"]])
        for one in found["productVariants"]["items"]
    ]


def outcome_without_setting(target: Target, variant: Variant | None) -> Outcome | None:
    """What comes of it before anything is set; None: it is to be set. Zeros are, whatever stands there."""
    if variant is None:
        return Refused(f"has no variant with the id {target.remote}")
    if not variant.counted:
        return Refused(f"does not count the stock of {variant.sku}: its trackInventory is off")
    if variant.level.offered == target.quantity:
        return Applied()
    if target.expected not in (None, variant.level.offered) and not target.is_urgent:
        return Stale()
    return None
