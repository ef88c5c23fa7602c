"""Global ids: gid://shopify/Kind/number."""

PREFIX = "gid://shopify/"


def gid(kind: str, number: str | int) -> str:
    return f"{PREFIX}{kind}/{number}"


def number_of(kind: str, given: str) -> str | None:
    """None if it is no id of that kind."""
    start = f"{PREFIX}{kind}/"
    return given.removeprefix(start) if given.startswith(start) else None


def level_gid(location: str, item: str) -> str:
    return f"{PREFIX}InventoryLevel/{location}?inventory_item_id={item}"
