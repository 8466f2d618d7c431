//! Links as HTML and as JSON.

use guest_http::{Html, Json, Reply, URL_BYTES_MAX, page};

use crate::links::{Link, Listing, Page};
use crate::slug::SLUG_LETTERS_MAX;

/// The page with the form and a table of links.
#[must_use]
pub fn home(links: &Page) -> Reply {
    page(200, "Short links", &format!("{}{}", form(), table(links)))
}

/// The page that tells a person the new link.
#[must_use]
pub fn made(short: &str, url: &str) -> Reply {
    let (short, url) = (Html(short), Html(url));
    let notice = format!("<p class=\"notice\"><a href=\"{short}\">{short}</a> leads to {url}</p>\n");
    page(201, "Here is your short link", &format!("{notice}{}<p><a href=\"/\">All links</a></p>", form()))
}

/// A page of the store's listing: `{"links":[{"slug":…,"url":…,"visits":…}],"next":…}`.
#[must_use]
pub fn stats(listing: &Listing) -> Reply {
    let links: Vec<String> = listing.links.iter().map(object).collect();
    let next = listing.next.as_deref().map_or("null".to_owned(), |cursor| Json(cursor).to_string());
    Reply::new(200, "application/json", format!("{{\"links\":[{}],\"next\":{next}}}\n", links.join(",")))
}

fn object(link: &Link) -> String {
    let (slug, url) = (Json(&link.slug), Json(&link.url));
    format!("{{\"slug\":{slug},\"url\":{url},\"visits\":{}}}", link.visits)
}

fn form() -> String {
    format!(
        "<form method=\"post\" action=\"/\">\n\
         <input name=\"url\" type=\"url\" required maxlength=\"{URL_BYTES_MAX}\" placeholder=\"https://example.com/a/long/way\" aria-label=\"URL\">\n\
         <input name=\"as\" maxlength=\"{SLUG_LETTERS_MAX}\" pattern=\"[A-Za-z0-9_\\-]+\" placeholder=\"name, if you like\" aria-label=\"Name\">\n\
         <button>Shorten</button>\n</form>\n"
    )
}

fn table(page: &Page) -> String {
    let older = page.next.map(|next| format!("<p><a href=\"/?before={next}\">Older links</a></p>\n"));
    let older = older.unwrap_or_default();
    if page.links.is_empty() {
        return format!("<p class=\"faint\">There are no links here.</p>\n{older}");
    }
    let rows: String = page.links.iter().map(row).collect();
    format!("<table>\n<tr><th>Link</th><th>Leads to</th><th class=\"number\">Visits</th></tr>\n{rows}</table>\n{older}")
}

fn row(link: &Link) -> String {
    let (slug, url) = (Html(&link.slug), Html(&link.url));
    format!("<tr><td><a href=\"/{slug}\">{slug}</a></td><td>{url}</td><td class=\"number\">{}</td></tr>\n", link.visits)
}
