"""A page by its keyboard alone."""

import pytest

from tests.browsers.tab import Tab

BACKSPACE, TAB, ENTER, ESCAPE = "\ue003", "\ue004", "\ue007", "\ue00c"
DOWN, END = "\ue015", "\ue010"
STOPS_MAX = 60
"""Of the Tab key, until what is looked for has the focus."""
FOCUS_SEEN = """document.activeElement === document.body || (() => {
  const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2; })()"""


async def tab_to(tab: Tab, condition: str) -> None:
    """By the Tab key alone; wherever it stops, the focus can be seen."""
    for _ in range(STOPS_MAX):
        await tab.press(TAB)
        assert await tab.evaluate(FOCUS_SEEN), await tab.evaluate("document.activeElement.outerHTML")
        if await tab.evaluate(condition):
            return
    pytest.fail(f"the Tab key leads nowhere where {condition}")
