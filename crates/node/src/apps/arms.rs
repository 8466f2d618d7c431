//! Which revision of a loaded app answers a request.

use crate::target::Routed;
use cumulet_gateway::Incoming;
use cumulet_spec::id::Digest;
use cumulet_spec::route::RouteTable;
use cumulet_spec::traffic::{Sticky, TRAFFIC_POINTS, Traffic};
use http::HeaderValue;
use http::header::COOKIE;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hex digits of a revision in a cookie.
const COOKIE_DIGITS: usize = 16;
/// Multiples of this, cut at 64 bits, are spread evenly (2^64 divided by the golden ratio).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A revision that is loaded.
#[derive(Debug)]
pub(crate) struct LoadedRevision {
    pub(crate) id: Digest,
    pub(crate) routes: RouteTable<Routed>,
}

/// What answers a request.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) routed: Routed,
    /// By which the client stays with this revision.
    pub(crate) cookie: Option<Box<HeaderValue>>,
}

impl From<Routed> for Found {
    fn from(routed: Routed) -> Self {
        Self { routed, cookie: None }
    }
}

/// The revisions of a loaded app. Where there is one, choosing costs nothing.
#[derive(Debug)]
pub(crate) enum Arms {
    One(RouteTable<Routed>),
    Several(Box<Split>),
}

/// Several revisions, and how requests are shared among them.
#[derive(Debug)]
pub(crate) struct Split {
    traffic: Traffic,
    revisions: Vec<LoadedRevision>,
    /// Requests that were led by their share.
    chosen: AtomicU64,
}

impl Arms {
    /// The revisions that `traffic` leads to; all of them are there.
    pub(crate) fn new(traffic: &Traffic, mut revisions: Vec<LoadedRevision>) -> Self {
        match revisions.pop() {
            Some(only) if revisions.is_empty() => Self::One(only.routes),
            last => {
                revisions.extend(last);
                Self::Several(Box::new(Split { traffic: traffic.clone(), revisions, chosen: AtomicU64::new(0) }))
            }
        }
    }

    /// What answers a request, if a route of the revision that it is led to does.
    pub(crate) fn find(&self, incoming: &Incoming) -> Option<Found> {
        match self {
            Self::One(routes) => Some(find(routes, incoming)?.into()),
            Self::Several(split) => split.find(incoming),
        }
    }
}

fn find(routes: &RouteTable<Routed>, incoming: &Incoming) -> Option<Routed> {
    let request = &incoming.request;
    routes.find(incoming.authority(), request.method(), request.uri().path()).cloned()
}

impl Split {
    fn find(&self, incoming: &Incoming) -> Option<Found> {
        let headers = incoming.request.headers();
        let ruled =
            self.traffic.headers().iter().find(|rule| {
                headers.get_all(rule.name()).iter().any(|value| value.as_bytes() == rule.value().as_bytes())
            });
        if let Some(rule) = ruled {
            return Some(find(self.routes(&rule.revision())?, incoming)?.into());
        }
        let sticky = self.traffic.sticky();
        if let Some(kept) = sticky.and_then(|sticky| self.kept(sticky, headers)) {
            return Some(find(self.routes(kept)?, incoming)?.into());
        }
        let chosen = self.traffic.choose(self.point());
        let routed = find(self.routes(chosen)?, incoming)?;
        Some(Found { routed, cookie: sticky.and_then(|sticky| cookie(sticky, chosen)) })
    }

    fn routes(&self, id: &Digest) -> Option<&RouteTable<Routed>> {
        self.revisions.iter().find(|revision| revision.id == *id).map(|revision| &revision.routes)
    }

    /// The revision that the client's cookie names, if it still has a share.
    fn kept(&self, sticky: &Sticky, headers: &http::HeaderMap) -> Option<&Digest> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == sticky.cookie.as_str())?;
        let mut arms = self.traffic.arms().iter().map(|arm| &arm.revision);
        arms.find(|revision| revision.to_hex().get(..COOKIE_DIGITS) == Some(value))
    }

    /// The next point of the shares: any hundred in a row are close to the shares in percent.
    fn point(&self) -> u16 {
        let spread = self.chosen.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN) >> 48;
        u16::try_from((spread * u64::from(TRAFFIC_POINTS)) >> 16).unwrap_or(0)
    }
}

fn cookie(sticky: &Sticky, revision: &Digest) -> Option<Box<HeaderValue>> {
    let hex = revision.to_hex();
    let text = format!("{}={}; Path=/; HttpOnly; SameSite=Lax", sticky.cookie, hex.get(..COOKIE_DIGITS)?);
    HeaderValue::from_str(&text).ok().map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cumulet_gateway::RequestBody;
    use cumulet_spec::id::RequestId;
    use cumulet_spec::traffic::{Arm, HeaderRule, Percent};

    /// Routes that lead nowhere are enough: which revision is asked is what counts.
    fn split(percents: &[u8], headers: Vec<HeaderRule>, sticky: Option<Sticky>) -> Split {
        let arm = |(number, percent): (usize, &u8)| Arm {
            revision: id(number),
            percent: Percent::new(u32::from(*percent)).unwrap(),
        };
        let traffic = Traffic::new(percents.iter().enumerate().map(arm).collect(), headers, sticky).unwrap();
        Split { traffic, revisions: Vec::new(), chosen: AtomicU64::new(0) }
    }

    fn id(number: usize) -> Digest {
        Digest::of(&[u8::try_from(number).unwrap()])
    }

    fn with_cookie(text: &str) -> Incoming {
        let request = http::Request::builder().header("host", "a.test").header("cookie", text);
        let request = request.body(RequestBody::empty()).unwrap();
        Incoming { id: RequestId::from_bits(1), request, peer: ([127, 0, 0, 1], 1).into() }
    }

    #[test]
    fn any_hundred_requests_are_shared_as_asked() {
        let split = split(&[90, 10], Vec::new(), None);
        for start in 0..20 {
            let to_second = (0..100).filter(|_| *split.traffic.choose(split.point()) == id(1)).count();
            assert!((8..=12).contains(&to_second), "{to_second} of the hundred from {start}00 on");
        }
    }

    #[test]
    fn a_cookie_keeps_a_client_where_it_was() {
        let split = split(&[50, 50], Vec::new(), Some(Sticky::default()));
        let sticky = split.traffic.sticky().unwrap();
        for number in 0..2 {
            let set = cookie(sticky, &id(number)).unwrap();
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let request = with_cookie(&format!("a=b; {pair}; c=d"));
            assert_eq!(split.kept(sticky, request.request.headers()), Some(&id(number)));
        }
        for other in ["", "cumulet-revision", "cumulet-revision=", "cumulet-revision=0123456789abcdef", "x=y"] {
            assert_eq!(split.kept(sticky, with_cookie(other).request.headers()), None, "{other:?}");
        }
    }
}
