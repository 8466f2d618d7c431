//! HTML pages that are safe whatever text stands in them.

use std::fmt::{self, Display, Write};

use crate::Reply;

/// A text with those letters replaced that mean something in HTML, within elements and within quoted attributes.
#[derive(Debug, Clone, Copy)]
pub struct Html<'t>(pub &'t str);

impl Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            plain => f.write_char(plain),
        })
    }
}

/// What all pages look like. It comes with the page, as nothing is fetched from elsewhere.
const STYLE: &str = "
:root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; letter-spacing: -.01em }
a { color: light-dark(#0b57d0, #8ab4f8) }
form { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.5rem 0 }
input, textarea, button { font: inherit; padding: .45rem .7rem; border: 1px solid #8886; border-radius: .5rem }
input, textarea { flex: 1 1 14rem; background: #8881 }
textarea { flex-basis: 100%; min-height: 5rem }
button { background: #0b57d0; color: #fff; border: 0; cursor: pointer }
table { width: 100%; border-collapse: collapse }
th, td { padding: .4rem .5rem .4rem 0; text-align: left; border-bottom: 1px solid #8884; overflow-wrap: anywhere }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
article { border-bottom: 1px solid #8884; padding: .6rem 0 }
article p { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
time, .faint { opacity: .65; font-size: .85rem }
.notice { padding: .6rem .9rem; border-left: 4px solid #0b57d0; background: #8881 }
";

/// A page: `main` is HTML already, the title is not. Nothing on it runs, and nothing comes from elsewhere.
#[must_use]
pub fn page(status: u16, title: &str, main: &str) -> Reply {
    let title = Html(title);
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{main}\n</html>\n"
    );
    Reply::new(status, "text/html; charset=utf-8", body)
        .with("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        .with("x-content-type-options", "nosniff")
}

/// Who reads the reply: that decides whether it is a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A browser, which asks for `text/html`.
    Person,
    /// Anything else.
    Program,
}

impl Reader {
    /// Tells by the value of `accept`.
    #[must_use]
    pub fn of(accept: Option<&str>) -> Self {
        if accept.is_some_and(|accept| accept.contains("text/html")) { Self::Person } else { Self::Program }
    }

    /// A problem, as a page or as JSON.
    #[must_use]
    pub fn problem(self, status: u16, title: &str, detail: &str) -> Reply {
        match self {
            Self::Person => page(status, title, &format!("<p>{}</p>\n<p><a href=\"/\">Back</a></p>", Html(detail))),
            Self::Program => Reply::problem(status, title, detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_an_element_or_an_attribute() {
        assert_eq!(Html("<a href='x' id=\"y\">&é").to_string(), "&lt;a href=&#39;x&#39; id=&quot;y&quot;&gt;&amp;é");
        let reply = Reader::Person.problem(400, "a <b>", "<script>");
        let body = String::from_utf8(reply.body.concat()).unwrap();
        assert!(body.contains("<h1>a &lt;b&gt;</h1>") && !body.contains("<script>"), "{body}");
    }

    #[test]
    fn browsers_get_pages_and_others_json() {
        let kind = |accept| Reader::of(accept).problem(404, "a", "b").content_type;
        assert_eq!(kind(Some("text/html,application/xhtml+xml,*/*;q=0.8")), "text/html; charset=utf-8");
        assert_eq!(kind(Some("*/*")), "application/problem+json");
        assert_eq!(kind(None), "application/problem+json");
    }
}
