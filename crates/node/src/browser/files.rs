//! The files that every page has, which are part of the program.

/// A path in the folder of a page, and what stands there.
pub(super) type File = (&'static str, &'static str);

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../browser/", $name)))),+] };
}

/// Everything but the component, and what is said about it.
pub(super) const FILES: &[File] = files![
    "index.html",
    "style.css",
    "icon.svg",
    "page.js",
    "worker.js",
    "app.js",
    "wasi/cli.js",
    "wasi/clocks.js",
    "wasi/config.js",
    "wasi/denied.js",
    "wasi/fields.js",
    "wasi/guest_error.js",
    "wasi/http.js",
    "wasi/io.js",
    "wasi/random.js",
];

/// What is said about the component.
pub(super) const SETTINGS: &str = "settings.js";

/// The component's own files are named so, and have a number and an ending.
pub(super) const COMPONENT: &str = "component";

/// Whether an entry of a page's folder is one that is written there.
pub(super) fn is_ours(entry: &str) -> bool {
    let is_component = entry.starts_with("component.") && (entry.ends_with(".js") || entry.ends_with(".wasm"));
    let is_file = |(path, _): &File| path.split('/').next() == Some(entry);
    is_component || entry == SETTINGS || FILES.iter().any(is_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest that all files may be together, in bytes.
    const BYTES_MAX: usize = 60_000;

    #[test]
    fn they_are_small_and_ask_nobody_else() {
        let bytes: usize = FILES.iter().map(|(_, text)| text.len()).sum();
        assert!(bytes <= BYTES_MAX, "{bytes} bytes");
        for (name, text) in FILES {
            for banned in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=", "onclick="]
            {
                assert!(!text.contains(banned), "{name} has {banned}");
            }
            // The name of SVG is no place that is asked for.
            let others = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!others.contains("http://") && !others.contains("https://"), "{name} names another place");
        }
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        for (name, text) in FILES {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            for part in text.split('"').filter_map(|part| part.strip_prefix("./")) {
                let path = if folder.is_empty() { part.to_owned() } else { format!("{folder}/{part}") };
                let is_made = path == SETTINGS || path == format!("{COMPONENT}.js");
                assert!(is_made || FILES.iter().any(|(known, _)| *known == path), "{name} names {part}");
            }
        }
    }

    #[test]
    fn what_is_not_written_here_is_known() {
        assert!(["index.html", "wasi", "settings.js", "component.js", "component.core2.wasm"].into_iter().all(is_ours));
        assert!(!["notes.txt", "component.rs", "src", ".git"].into_iter().any(is_ours));
    }
}
