//! The table of routes: built once, searched on every request.

use std::cmp::Ordering;

use http::Method;

use super::conflict::{RouteConflict, conflicts};
use super::Route;

/// Up to this many prefixes are tried one after the other; more are searched by the segments of the path.
const LINEAR_MAX: usize = 8;

/// Routes and what each leads to, ready to be searched.
///
/// Among the routes that match a request, one with a host goes before those without, then an exact path before
/// prefixes, then the longest prefix, then one that names its methods. Hosts are compared without regard to case.
#[derive(Debug, Clone)]
pub struct RouteTable<T> {
    /// Routes with a host, ordered by host.
    hosts: Vec<(Box<str>, Paths<T>)>,
    /// Routes without one.
    any: Paths<T>,
}

/// The routes of one host.
#[derive(Debug, Clone)]
struct Paths<T> {
    /// Ordered by path.
    exact: Vec<(Box<str>, Targets<T>)>,
    /// Ordered by length from long to short when few, by path when many.
    prefixes: Vec<(Box<str>, Targets<T>)>,
    /// The longest prefix, in bytes: no longer part of a path is ever looked up.
    prefix_bytes_max: usize,
}

/// The routes of one pattern, which differ in their methods; at most one has none and stands last.
#[derive(Debug, Clone)]
struct Targets<T>(Vec<(Box<[Method]>, T)>);

impl<T> RouteTable<T> {
    /// Orders the routes for searching.
    ///
    /// # Errors
    /// When two have the same host and pattern and share a method, or both take every method.
    pub fn new(routes: Vec<(Route, T)>) -> Result<Self, RouteConflict> {
        let conflict = conflicts(routes.iter().map(|(route, _)| route)).into_iter().next();
        if let Some(conflict) = conflict {
            return Err(conflict);
        }
        let mut any = Paths::default();
        let mut hosts: Vec<(Box<str>, Paths<T>)> = Vec::new();
        for (route, target) in routes {
            let paths = match &route.host {
                None => &mut any,
                Some(host) => host_paths(&mut hosts, host),
            };
            paths.insert(route, target);
        }
        any.finish();
        for (_, paths) in &mut hosts {
            paths.finish();
        }
        Ok(Self { hosts, any })
    }

    /// What answers this request, or nothing.
    ///
    /// `host` is that of the request, with or without a port; `path` is as it came, without the query. A route that
    /// matches but does not take the method is passed over. Nothing is allocated.
    #[must_use]
    pub fn find(&self, host: Option<&str>, method: &Method, path: &str) -> Option<&T> {
        if !self.hosts.is_empty()
            && let Some(host) = host.map(bare_host)
            && let Ok(place) = self.hosts.binary_search_by(|(known, _)| compare_host(known, host))
            && let Some(found) = self.hosts.get(place).and_then(|(_, paths)| paths.find(method, path))
        {
            return Some(found);
        }
        self.any.find(method, path)
    }

    /// Whether there are no routes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.any.exact.is_empty() && self.any.prefixes.is_empty()
    }
}

impl<T> Default for RouteTable<T> {
    fn default() -> Self {
        Self { hosts: Vec::new(), any: Paths::default() }
    }
}

impl<T> Default for Paths<T> {
    fn default() -> Self {
        Self { exact: Vec::new(), prefixes: Vec::new(), prefix_bytes_max: 0 }
    }
}

impl<T> Paths<T> {
    fn insert(&mut self, route: Route, target: T) {
        let list = if route.pattern.is_exact() { &mut self.exact } else { &mut self.prefixes };
        let entry = (route.methods.into_boxed_slice(), target);
        match list.binary_search_by(|(known, _)| (**known).cmp(route.pattern.path())) {
            Ok(place) => {
                if let Some((_, targets)) = list.get_mut(place) {
                    targets.0.push(entry);
                }
            }
            Err(place) => list.insert(place, (route.pattern.path().into(), Targets(vec![entry]))),
        }
    }

    fn finish(&mut self) {
        self.prefix_bytes_max = self.prefixes.iter().map(|(prefix, _)| prefix.len()).max().unwrap_or(0);
        if self.prefixes.len() <= LINEAR_MAX {
            self.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        }
        for (_, targets) in self.exact.iter_mut().chain(&mut self.prefixes) {
            targets.0.sort_by_key(|(methods, _)| methods.is_empty());
        }
    }

    fn find(&self, method: &Method, path: &str) -> Option<&T> {
        self.find_exact(method, path).or_else(|| {
            if self.prefixes.len() <= LINEAR_MAX {
                self.find_prefix_linear(method, path)
            } else {
                self.find_prefix_by_segment(method, path)
            }
        })
    }

    fn find_exact(&self, method: &Method, path: &str) -> Option<&T> {
        lookup(&self.exact, path)?.find(method)
    }

    fn find_prefix_linear(&self, method: &Method, path: &str) -> Option<&T> {
        self.prefixes.iter().find_map(|(prefix, targets)| {
            let rest = path.strip_prefix(&**prefix)?;
            if rest.is_empty() || rest.starts_with('/') { targets.find(method) } else { None }
        })
    }

    fn find_prefix_by_segment(&self, method: &Method, path: &str) -> Option<&T> {
        let mut end = path.len();
        loop {
            if end <= self.prefix_bytes_max
                && let Some(found) = lookup(&self.prefixes, path.get(..end)?).and_then(|targets| targets.find(method))
            {
                return Some(found);
            }
            end = path.as_bytes().get(..end)?.iter().rposition(|byte| *byte == b'/')?;
        }
    }
}

impl<T> Targets<T> {
    fn find(&self, method: &Method) -> Option<&T> {
        let takes = |methods: &[Method]| methods.is_empty() || methods.contains(method);
        self.0.iter().find(|(methods, _)| takes(methods)).map(|(_, target)| target)
    }
}

fn lookup<'a, T>(list: &'a [(Box<str>, Targets<T>)], path: &str) -> Option<&'a Targets<T>> {
    let place = list.binary_search_by(|(known, _)| (**known).cmp(path)).ok()?;
    list.get(place).map(|(_, targets)| targets)
}

fn host_paths<'a, T>(hosts: &'a mut Vec<(Box<str>, Paths<T>)>, host: &str) -> &'a mut Paths<T> {
    let place = match hosts.binary_search_by(|(known, _)| compare_host(known, host)) {
        Ok(place) => place,
        Err(place) => {
            hosts.insert(place, (host.to_ascii_lowercase().into(), Paths::default()));
            place
        }
    };
    let (_, paths) = hosts.get_mut(place).expect("the host was found or inserted at this place");
    paths
}

/// Orders a known host, in lower case, and one in any case.
fn compare_host(known: &str, host: &str) -> Ordering {
    known.bytes().cmp(host.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The host of a request without its port and without a dot at its end.
fn bare_host(host: &str) -> &str {
    let name = match host.rfind([':', ']']) {
        Some(place) if host.as_bytes().get(place) == Some(&b':') => host.get(..place).unwrap_or(host),
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}
