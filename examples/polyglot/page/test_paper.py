import unittest
from types import SimpleNamespace

import paper


class Paper(unittest.TestCase):
    def test_what_others_wrote_stays_text(self):
        product = SimpleNamespace(name="<b>tea $reader", pieces=3, revenue=1305)
        page = paper.render("Ada & Co", SimpleNamespace(products=[product], pieces=3, revenue=1305))
        self.assertIn("<tr><th>&lt;b&gt;tea $reader<td>3<td>13.05<td>100 %\n", page)
        self.assertIn("<p>For Ada &amp; Co.</p>", page)

    def test_no_orders_make_an_empty_page(self):
        page = paper.render("Ada", SimpleNamespace(products=[], pieces=0, revenue=0))
        self.assertIn("<tbody>\n</tbody>", page)
        self.assertEqual(paper.share(0, 0), "-")


if __name__ == "__main__":
    unittest.main()
