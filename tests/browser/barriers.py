"""What axe-core has against a page."""

from __future__ import annotations

from playwright.sync_api import Frame

from b24app.web.assets import PACKAGES

AXE = PACKAGES / "axe-core" / "axe.min.js"


def violations(frame: Frame) -> list[str]:
    """Barriers for people, a line for each rule with the first element; looked for once nothing moves."""
    frame.evaluate(AXE.read_text("utf-8"))
    found: list[str] = frame.evaluate(
        """async () => {
            await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)));
            const result = await axe.run(document, { resultTypes: ["violations"] });
            const line = ({ id, nodes: [node] }) => `${id}: ${node.html} ${node.failureSummary}`;
            return result.violations.map(line);
        }"""
    )
    return found
