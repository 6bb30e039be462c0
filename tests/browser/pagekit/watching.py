"""Tabs whose consoles are listened to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WAIT_MS = 20_000
"""How long a test waits for what it expects to see; on a slow machine decoding takes its time."""


@dataclass
class Watched:
    """Pages, with what their consoles said that they should not have."""

    context: Any
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def open(self, address: str) -> Any:
        """Open a tab."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("a dialog"), dialog.dismiss()))
        # Who asks for choosers only when one opens is too late now and then.
        page.on("filechooser", lambda chooser: None)
        page.goto(address, wait_until="commit")
        if address != "about:blank":
            page.wait_for_selector("main > *")  # from then on it takes keys
        return page

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def check(self) -> None:
        """Fail if a console complained of anything but what a test expects."""
        left = [text for text in self.complaints if not any(one in text for one in self.expected)]
        assert not left, left


def until(page: Any, condition: str) -> None:
    """Wait until an expression is true in a page; the page's own policy forbids other ways."""
    for _ in range(WAIT_MS // 25):
        if page.evaluate(f"() => Boolean({condition})"):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {condition}; the page is at {page.url}")
