//! One request to a revision that nobody else reaches yet.

use crate::invoke::invoke_at;
use crate::serving::Serving;
use crate::target::Routed;
use cumulet_gateway::{Incoming, Rejection, RequestBody};
use cumulet_spec::deploy::{DeployFailure, DeployPhase};
use cumulet_spec::id::RequestId;
use cumulet_spec::probe::Probe;
use cumulet_spec::revision::Revision;
use cumulet_spec::route::RouteTable;
use http::{Method, header};
use http_body_util::{BodyExt as _, Limited};
use std::net::SocketAddr;
use std::sync::Arc;

/// How much of an answer is read, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Asks a revision whether it works. It is billed to the app like any other request.
pub(super) async fn probe(
    serving: &Arc<Serving>,
    host: &str,
    revision: &Revision,
    routes: &RouteTable<Routed>,
) -> Result<(), DeployFailure> {
    let probe = revision.probe.clone().unwrap_or_default();
    let (authority, path) = place(&probe, host, revision, routes)?;
    let method = if probe.method.as_str() == "HEAD" { Method::HEAD } else { Method::GET };
    let Some(routed) = routes.find(Some(&authority), &method, bare(&path)).cloned() else {
        return Err(unrouted(&probe));
    };
    let component = routed.target.component.clone();
    let request = http::Request::builder().method(method).uri(&*path).header(header::HOST, &authority);
    let request = request.header(header::USER_AGENT, "cumulet-probe").body(RequestBody::empty());
    let request = request.map_err(|error| failed(format!("the probe of {path} is no request: {error}")))?;
    let incoming =
        Incoming { id: RequestId::from_bits(rand::random()), request, peer: SocketAddr::from(([127, 0, 0, 1], 0)) };
    let answered = tokio::time::timeout(probe.timeout, async {
        let response = invoke_at(serving, routed, incoming, 0).await?;
        let (head, body) = response.into_parts();
        // Read to its end, so that it counts as answered; what is too long for that is cut.
        drop(Limited::new(body, BODY_BYTES_MAX).collect().await);
        Ok::<_, Rejection>(head.status)
    })
    .await;
    let status = match answered {
        Ok(Ok(status)) => status.as_u16(),
        Ok(Err(rejection)) => {
            let outcome = rejection.outcome;
            let text = format!("component `{component}` ended with `{}` when it was probed at {path}", outcome.label());
            return Err(failed(text));
        }
        Err(_elapsed) => {
            let text = format!("component `{component}` did not answer the probe of {path} within {:?}", probe.timeout);
            return Err(failed(text));
        }
    };
    if probe.accepts(status) {
        return Ok(());
    }
    Err(failed(format!("component `{component}` answered the probe of {path} with {status}")))
}

/// Where to ask: what the manifest says; otherwise `/`, or the first route where nothing answers there.
fn place(
    probe: &Probe,
    host: &str,
    revision: &Revision,
    routes: &RouteTable<Routed>,
) -> Result<(String, String), DeployFailure> {
    let path = probe.path.as_str().to_owned();
    let hosts = std::iter::once(host).chain(revision.routes.iter().filter_map(|route| route.host.as_deref()));
    for host in hosts {
        if routes.find(Some(host), &Method::GET, bare(&path)).is_some() {
            return Ok((host.to_owned(), path));
        }
    }
    let first = revision.routes.iter().find(|route| route.methods.is_empty() || route.methods.contains(&Method::GET));
    match first {
        Some(route) if revision.probe.is_none() => {
            let pattern = route.pattern.to_string();
            let path = pattern.strip_suffix("/*").unwrap_or(&pattern);
            let path = if path.is_empty() { "/" } else { path };
            Ok((route.host.clone().unwrap_or_else(|| host.to_owned()), path.to_owned()))
        }
        _ => Err(unrouted(probe)),
    }
}

fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

fn unrouted(probe: &Probe) -> DeployFailure {
    let text = format!("no route answers a {} of {}, which is to be probed", probe.method.as_str(), probe.path);
    DeployFailure::new(DeployPhase::Probed, text, "name a path in `[app.probe]` that a route answers, and deploy again")
}

fn failed(message: String) -> DeployFailure {
    let next =
        "look at the app's log, mend it, and deploy again; `[app.probe]` says what is asked and what is accepted";
    DeployFailure::new(DeployPhase::Probed, message, next)
}
