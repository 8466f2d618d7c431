//! The requests that the demo suggests.
//!
//! They stand beside the demo's manifest in `requests.txt`: one curl call a line, in which `{url}`
//! stands for the address; a line that starts with `#` is the title of what follows.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// What a person can type now.
pub(super) fn instructions(app: &Path, url: &str, admin_port: u16) -> anyhow::Result<String> {
    let file = app.join("requests.txt");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(format!(
        "Serving at {url}\n\n{}\n\n  metrics\n    curl http://127.0.0.1:{admin_port}/metrics",
        render(&text, url)
    ))
}

fn render(text: &str, url: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(|line| match line.strip_prefix('#') {
        Some(title) => format!("  {}", title.trim()),
        None => format!("    {}", line.trim().replace("{url}", url)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_filled_in() {
        let text = "# hello\ncurl {url}/\n\n# image\ncurl -T a.jpg {url}/image/resize -o b.jpg\n";
        assert_eq!(
            render(text, "http://h:1"),
            "  hello\n    curl http://h:1/\n  image\n    curl -T a.jpg http://h:1/image/resize -o b.jpg"
        );
    }
}
