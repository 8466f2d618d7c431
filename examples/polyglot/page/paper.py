"""The page about a list of orders. Nothing here knows of components, so that the tests run it as it is."""

from html import escape
from pathlib import Path
from string import Template

# Read at the build: the component holds them, and reads no files.
PAGE, ROW = (Template((Path(__file__).parent / name).read_text()) for name in ("page.html", "row.html"))


def render(reader: str, summary) -> str:
    """The page, for a summary as `wit/report.wit` describes it."""
    return PAGE.substitute(
        reader=escape(reader),
        rows="".join(row(product, summary.revenue) for product in summary.products),
        pieces=summary.pieces,
        revenue=money(summary.revenue),
    )


def row(product, revenue: int) -> str:
    return ROW.substitute(
        name=escape(product.name),
        pieces=product.pieces,
        revenue=money(product.revenue),
        share=share(product.revenue, revenue),
    )


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
