//! Entries as HTML and as JSON.

use guest_http::{Html, Json, Reply, page};

use crate::draft::{MESSAGE_LETTERS_MAX, NAME_LETTERS_MAX};
use crate::entries::{Entry, Page};

/// The book, with a form to sign it.
#[must_use]
pub fn book(entries: &Page) -> Reply {
    let articles: String = entries.entries.iter().map(article).collect();
    let articles =
        if articles.is_empty() { "<p class=\"faint\">Nobody has written anything yet.</p>\n".into() } else { articles };
    let older = entries.next.map(|next| format!("<p><a href=\"/?before={next}\">Older entries</a></p>\n"));
    page(200, "Guestbook", &format!("{}{articles}{}", form("", ""), older.unwrap_or_default()))
}

/// The form once more, with what was written and what is wrong with it.
#[must_use]
pub fn again(status: u16, wrong: &str, name: &str, message: &str) -> Reply {
    page(status, "Not yet", &format!("<p class=\"notice\">{}</p>\n{}", Html(wrong), form(name, message)))
}

/// A page of entries: `{"entries":[{"id":…,"at":…,"name":…,"message":…}],"next":…}`.
#[must_use]
pub fn json(entries: &Page) -> Reply {
    let objects: Vec<String> = entries.entries.iter().map(object).collect();
    let next = entries.next.map_or("null".to_owned(), |next| next.to_string());
    Reply::new(200, "application/json", format!("{{\"entries\":[{}],\"next\":{next}}}\n", objects.join(",")))
}

fn form(name: &str, message: &str) -> String {
    let (name, message) = (Html(name), Html(message));
    format!(
        "<form method=\"post\" action=\"/\">\n\
         <input name=\"name\" required maxlength=\"{NAME_LETTERS_MAX}\" placeholder=\"Your name\" aria-label=\"Name\" value=\"{name}\">\n\
         <textarea name=\"message\" required maxlength=\"{MESSAGE_LETTERS_MAX}\" placeholder=\"Say something\" aria-label=\"Message\">\n{message}</textarea>\n\
         <button>Sign</button>\n</form>\n"
    )
}

fn article(entry: &Entry) -> String {
    let (at, name, message) = (Html(&entry.at), Html(&entry.name), Html(&entry.message));
    let day = entry.at.get(..10).unwrap_or_default();
    format!(
        "<article><strong>{name}</strong> <time datetime=\"{at}\">{}</time>\n<p>{message}</p></article>\n",
        Html(day)
    )
}

fn object(entry: &Entry) -> String {
    let (at, name, message) = (Json(&entry.at), Json(&entry.name), Json(&entry.message));
    format!("{{\"id\":{},\"at\":{at},\"name\":{name},\"message\":{message}}}", entry.id)
}
