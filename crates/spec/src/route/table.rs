//! The table of routes: built once, searched on every request.

use std::cmp::Ordering;

use http::Method;

use super::Route;
use super::conflict::{RouteConflict, conflicts};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ComponentName;
    use crate::route::RoutePattern;
    use proptest::prelude::*;

    fn route(text: &str) -> Route {
        let (rest, methods) = text.split_once(' ').unwrap_or((text, ""));
        let slash = rest.find('/').unwrap();
        Route {
            pattern: RoutePattern::parse(&rest[slash..]).unwrap(),
            host: (slash > 0).then(|| rest[..slash].to_owned()),
            methods: methods.split_terminator(',').map(|name| name.parse().unwrap()).collect(),
            component: ComponentName::parse("c").unwrap(),
        }
    }

    fn table(routes: &[&str]) -> RouteTable<String> {
        RouteTable::new(routes.iter().map(|text| (route(text), (*text).to_owned())).collect()).unwrap()
    }

    /// What the words of the manual say, one after the other.
    fn naive<'a>(routes: &'a [(Route, usize)], host: Option<&str>, method: &Method, path: &str) -> Option<&'a usize> {
        let host = host.map(|host| host.split(':').next().unwrap().to_ascii_lowercase());
        let matching = routes.iter().filter(|(route, _)| {
            route.pattern.matches(path)
                && route.host.as_ref().is_none_or(|wanted| Some(wanted) == host.as_ref())
                && (route.methods.is_empty() || route.methods.contains(method))
        });
        let rank = |route: &Route| {
            let pattern = &route.pattern;
            (route.host.is_some(), pattern.is_exact(), pattern.path().len(), !route.methods.is_empty())
        };
        matching.max_by_key(|(route, _)| rank(route)).map(|(_, target)| target)
    }

    #[test]
    fn the_best_route_answers() {
        let table =
            table(&["/*", "/api/*", "/api/v2/*", "/api/v2", "/api/v2/x POST", "shop.test/api/*", "shop.test/only GET"]);
        let check = |host: Option<&str>, method: Method, path: &str, expect: &str| {
            assert_eq!(table.find(host, &method, path).map(String::as_str), Some(expect), "{host:?} {method} {path}");
        };
        check(None, Method::GET, "/", "/*");
        check(None, Method::GET, "/apis", "/*");
        check(None, Method::GET, "/api", "/api/*");
        check(None, Method::GET, "/api/v1", "/api/*");
        check(None, Method::GET, "/api/v2", "/api/v2");
        check(None, Method::GET, "/api/v2/", "/api/v2/*");
        check(None, Method::POST, "/api/v2/x", "/api/v2/x POST");
        check(None, Method::GET, "/api/v2/x", "/api/v2/*");
        check(Some("shop.test"), Method::GET, "/api/v2", "shop.test/api/*");
        check(Some("SHOP.test.:3000"), Method::GET, "/api", "shop.test/api/*");
        check(Some("shop.test"), Method::GET, "/only", "shop.test/only GET");
        check(Some("shop.test"), Method::POST, "/only", "/*");
        check(Some("other.test"), Method::GET, "/only", "/*");
        check(Some(""), Method::GET, "/only", "/*");
    }

    #[test]
    fn nothing_answers_where_nothing_is_routed() {
        let table = table(&["/a", "[::1]/b/* GET"]);
        assert_eq!(table.find(None, &Method::GET, "/b"), None);
        assert_eq!(table.find(Some("[::1]:80"), &Method::GET, "/b").map(String::as_str), Some("[::1]/b/* GET"));
        assert_eq!(table.find(Some("[::1]"), &Method::PUT, "/b"), None);
        assert_eq!(table.find(None, &Method::GET, "/a/"), None);
        assert_eq!(table.find(None, &Method::GET, ""), None);
        assert!(!table.is_empty() && RouteTable::<u8>::default().is_empty());
    }

    #[test]
    fn routes_between_which_nothing_decides_are_refused() {
        let check = |first: &str, second: &str, conflict: bool| {
            let built = RouteTable::new(vec![(route(first), ()), (route(second), ())]);
            assert_eq!(built.is_err(), conflict, "{first} and {second}");
        };
        check("/a", "/a", true);
        check("/a GET,PUT", "/a PUT", true);
        check("x.test/a", "x.test/a", true);
        check("/a GET", "/a PUT", false);
        check("/a GET", "/a", false);
        check("/a", "/a/*", false);
        check("/a", "x.test/a", false);
    }

    const METHODS: [Method; 3] = [Method::GET, Method::POST, Method::PUT];

    fn any_route() -> impl Strategy<Value = Route> {
        let path = prop::collection::vec(prop::sample::select(vec!["a", "b", "ab"]), 0..4);
        let host = prop::option::of(prop::sample::select(vec!["x.test", "y.test"]));
        (path, any::<bool>(), host, prop::sample::subsequence(METHODS.to_vec(), 0..3)).prop_map(
            |(path, prefix, host, methods)| Route {
                pattern: RoutePattern::parse(&format!(
                    "/{}{}",
                    path.join("/"),
                    match (prefix, path.is_empty()) {
                        (true, true) => "*",
                        (true, false) => "/*",
                        (false, _) => "",
                    }
                ))
                .unwrap(),
                host: host.map(str::to_owned),
                methods,
                component: ComponentName::parse("c").unwrap(),
            },
        )
    }

    proptest! {
        #[test]
        fn the_table_finds_what_the_naive_reading_finds(
            routes in prop::collection::vec(any_route(), 0..60),
            requests in prop::collection::vec(
                ("(/(a|b|ab|c)?){0,5}", prop::option::of("(x|X|y|z)\\.test(:80)?"), prop::sample::select(METHODS.to_vec())),
                1..40,
            ),
        ) {
            let mut kept: Vec<(Route, usize)> = Vec::new();
            for (place, route) in routes.into_iter().enumerate() {
                if conflicts(kept.iter().map(|(route, _)| route).chain([&route])).is_empty() {
                    kept.push((route, place));
                }
            }
            let table = RouteTable::new(kept.clone()).unwrap();
            for (path, host, method) in &requests {
                let expect = naive(&kept, host.as_deref(), method, path);
                prop_assert_eq!(table.find(host.as_deref(), method, path), expect, "{} {:?}", path, host);
            }
        }
    }
}
