//! Routes between which nothing decides.

use std::collections::HashMap;

use http::Method;

use super::{Route, RoutePattern};

/// Two routes answer the same requests, so neither goes first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{}` conflicts with an earlier one: same host, path and method", route.pattern)]
pub struct RouteConflict {
    /// The place of the earlier route in the list.
    pub first: usize,
    /// The place of the later one.
    pub second: usize,
    /// The later one.
    pub route: Box<Route>,
}

/// Each route that an earlier one conflicts with: same host and pattern, and a method that both name, or both take
/// every method.
pub(crate) fn conflicts<'a>(routes: impl IntoIterator<Item = &'a Route>) -> Vec<RouteConflict> {
    type Key<'a> = (Option<String>, &'a RoutePattern);
    let mut seen: HashMap<Key<'a>, Vec<(usize, &Route)>> = HashMap::new();
    let mut conflicts = Vec::new();
    for (second, route) in routes.into_iter().enumerate() {
        let host = route.host.as_ref().map(|host| host.to_ascii_lowercase());
        let earlier = seen.entry((host, &route.pattern)).or_default();
        let conflict = earlier.iter().find(|(_, other)| share_method(&other.methods, &route.methods));
        if let Some((first, _)) = conflict {
            conflicts.push(RouteConflict { first: *first, second, route: Box::new(route.clone()) });
        }
        earlier.push((second, route));
    }
    conflicts
}

fn share_method(left: &[Method], right: &[Method]) -> bool {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => true,
        (false, false) => left.iter().any(|method| right.contains(method)),
        (true, false) | (false, true) => false,
    }
}
