//! The path of an outbound request, as the guest sets it and as it is sent.
//!
//! The interface lets a guest set a relative path and read it back; the type that the engine keeps it in holds none. It is
//! kept there behind a mark, which never leaves the host: only absolute paths are sent.

use http::uri::PathAndQuery;
use wasmtime::component::Resource;
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p3::Request;

/// Stands before a relative path. Nothing that comes in begins like this, because it begins with a slash; the character is
/// one that no text uses.
const MARK: &str = "?\u{fdd0}";

/// Whether the path was set: not if it is no path at all.
type Set = (Result<(), ()>,);

/// `request.set-path-with-query`.
pub(super) fn set<T: WasiHttpView + 'static>(
    mut context: StoreContextMut<'_, T>,
    (request, path): (Resource<Request>, Option<String>),
) -> Result<Set> {
    let request = context.data_mut().http().table.get_mut(&request)?;
    let kept = match path {
        None => None,
        Some(path) => match keep(&path) {
            Some(kept) => Some(kept),
            None => return Ok((Err(()),)),
        },
    };
    request.path_with_query = kept;
    Ok((Ok(()),))
}

/// `request.get-path-with-query`.
pub(super) fn get<T: WasiHttpView + 'static>(
    mut context: StoreContextMut<'_, T>,
    (request,): (Resource<Request>,),
) -> Result<(Option<String>,)> {
    let request = context.data_mut().http().table.get(&request)?;
    Ok((request.path_with_query.as_ref().map(|kept| shown(kept).to_owned()),))
}

/// What is kept of a path; none if it is no path.
fn keep(path: &str) -> Option<PathAndQuery> {
    match path {
        "" => Some(PathAndQuery::from_static("/")),
        "*" => path.parse().ok(),
        _ if path.starts_with(['/', '?']) => path.parse().ok(),
        _ if path.contains('#') => None,
        _ => {
            let _absolute: PathAndQuery = format!("/{path}").parse().ok()?;
            format!("{MARK}{path}").parse().ok()
        }
    }
}

fn shown(kept: &PathAndQuery) -> &str {
    kept.as_str().strip_prefix(MARK).unwrap_or(kept.as_str())
}

/// The path as it goes over the wire; none for one that would run into the authority before it.
pub(super) fn absolute(kept: Option<PathAndQuery>) -> Option<PathAndQuery> {
    match kept {
        None => Some(PathAndQuery::from_static("/")),
        Some(path) if path.as_str().starts_with(MARK) => None,
        path => path.map(rooted).filter(|path| path.as_str().starts_with('/')),
    }
}

/// The same path, with the slash that an empty path before a query stands for.
pub(crate) fn rooted(path: PathAndQuery) -> PathAndQuery {
    if path.as_str().starts_with('?') {
        return format!("/{}", path.as_str()).parse().unwrap_or(PathAndQuery::from_static("/"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the guest reads back, and what is sent.
    #[track_caller]
    fn check(path: &str, reads: Option<&str>, sends: Option<&str>) {
        let kept = keep(path);
        assert_eq!(kept.as_ref().map(shown), reads, "{path:?}");
        if let Some(kept) = kept {
            assert_eq!(absolute(Some(kept)).as_ref().map(PathAndQuery::as_str), sends, "{path:?}");
        }
    }

    #[test]
    fn any_path_can_be_set_and_absolute_ones_are_sent() {
        check("/", Some("/"), Some("/"));
        check("", Some("/"), Some("/"));
        check("/a?b", Some("/a?b"), Some("/a?b"));
        check("a/b?c", Some("a/b?c"), None);
        check("../..", Some("../.."), None);
        check("*", Some("*"), None);
        check("a b", None, None);
        check("a#b", None, None);
        assert_eq!(absolute(None).as_ref().map(PathAndQuery::as_str), Some("/"));
        assert_eq!(absolute(keep("?b")).map(|path| path.query().map(str::to_owned)), Some(Some("b".to_owned())));
    }
}
