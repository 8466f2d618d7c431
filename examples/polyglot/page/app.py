"""What the component exports. `wit_world` comes from componentize-py, which makes it of `wit/`."""

from wit_world import exports
from wit_world.imports import data

import paper


class Page(exports.Page):
    def render(self, reader: str, orders: str) -> str:
        # What it raises is handed on: the error of the orders is the error of the page.
        return paper.render(reader, data.summarise(orders))
