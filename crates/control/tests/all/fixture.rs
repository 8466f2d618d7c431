//! What the tests are made of: names, revisions, requests, and a registry in a folder of its own.

use std::collections::BTreeMap;
use std::path::Path;

use cumulet_control::{BeginDeploy, Deploy, Host, IdempotencyKey, PutTenant, Registry, Remove, Rollback, SetTraffic};
use cumulet_spec::deploy::{DeployId, DeployPhase};
use cumulet_spec::grant::Grants;
use cumulet_spec::id::{AppName, ComponentName, Digest, TenantId};
use cumulet_spec::limit::Limits;
use cumulet_spec::revision::{REVISION_FORMAT, Revision, RevisionComponent};
use cumulet_spec::route::Route;
use cumulet_spec::token::{Actor, TokenId, TokenName};
use cumulet_spec::traffic::{Arm, Percent, Traffic};

/// When everything happens.
pub(super) const AT_US: u64 = 1_700_000_000_000_000;

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

pub(super) fn app(name: &str) -> AppName {
    AppName::parse(name).unwrap()
}

pub(super) fn host(name: &str) -> Host {
    Host::parse(name).unwrap()
}

pub(super) fn hosts(names: &[&str]) -> Vec<Host> {
    names.iter().map(|name| host(name)).collect()
}

pub(super) fn key(text: &str) -> Option<IdempotencyKey> {
    Some(IdempotencyKey::parse(text).unwrap())
}

pub(super) fn percent(number: u32) -> Percent {
    Percent::new(number).unwrap()
}

/// The holder of a token.
pub(super) fn actor() -> Actor {
    Actor::Token { id: TokenId::parse("abcd1234").unwrap(), name: TokenName::parse("ci").unwrap() }
}

/// A revision of an app; each content makes another one.
pub(super) fn revision(name: &str, content: &str) -> Revision {
    let front = ComponentName::parse("front").unwrap();
    let component = RevisionComponent {
        digest: Digest::of(content.as_bytes()),
        limits: Limits::default(),
        grants: Grants::default(),
        link: BTreeMap::new(),
        reuse: None,
        snapshot: true,
    };
    Revision {
        format: REVISION_FORMAT,
        app: app(name),
        version: None,
        components: [(front.clone(), component)].into(),
        routes: vec![Route::all(front)],
        probe: None,
        rollout: None,
        roots: Vec::new(),
    }
}

/// The identity of a revision of `shop`.
pub(super) fn id(content: &str) -> Digest {
    revision("shop", content).id()
}

pub(super) fn deploy(tenant_name: &str, name: &str, content: &str) -> Deploy {
    Deploy {
        tenant: tenant(tenant_name),
        revision: revision(name, content),
        hosts: Vec::new(),
        by: Actor::Node,
        at_us: AT_US,
        idempotency_key: None,
        expected_generation: None,
    }
}

pub(super) fn remove(tenant_name: &str, name: &str) -> Remove {
    Remove {
        tenant: tenant(tenant_name),
        app: app(name),
        by: Actor::Node,
        at_us: AT_US,
        idempotency_key: None,
        expected_generation: None,
    }
}

/// A deploy of a revision of acme's shop, under a number that is its id.
pub(super) fn begin(number: u128, content: &str) -> BeginDeploy {
    BeginDeploy {
        id: DeployId::from_bits(number),
        tenant: tenant("acme"),
        revision: revision("shop", content),
        hosts: Vec::new(),
        share: None,
        note: None,
        by: actor(),
        at_us: AT_US,
        idempotency_key: None,
        expected_generation: None,
    }
}

/// Takes a deploy through its phases, up to being probed.
pub(super) fn make_ready(registry: &Registry, id: &DeployId) {
    for (phase, at_us) in [DeployPhase::Compiled, DeployPhase::Linked, DeployPhase::Probed].into_iter().zip(AT_US + 1..)
    {
        registry.advance(id, phase, at_us).unwrap();
    }
}

/// Makes a revision of acme's shop live.
pub(super) fn ship(registry: &Registry, begin: &BeginDeploy) {
    let begun = registry.begin_deploy(begin).unwrap();
    make_ready(registry, &begun.id);
    registry.go_live(&begun.id, AT_US + 9).unwrap();
}

pub(super) fn traffic(shares: &[(&str, u32)]) -> Traffic {
    let arm = |(content, share): &(&str, u32)| Arm { revision: id(content), percent: percent(*share) };
    Traffic::new(shares.iter().map(arm).collect(), Vec::new(), None).unwrap()
}

pub(super) fn set_traffic(traffic: Traffic) -> SetTraffic {
    SetTraffic {
        tenant: tenant("acme"),
        app: app("shop"),
        traffic,
        at_us: AT_US,
        by: actor(),
        idempotency_key: None,
        expected_generation: None,
    }
}

pub(super) fn rollback(to: Option<&str>) -> Rollback {
    Rollback {
        tenant: tenant("acme"),
        app: app("shop"),
        to: to.map(|to| to.parse().unwrap()),
        at_us: AT_US,
        by: actor(),
        idempotency_key: None,
        expected_generation: None,
    }
}

pub(super) fn put_tenant(name: &str, names: &[&str]) -> PutTenant {
    PutTenant { tenant: tenant(name), hosts: hosts(names), by: actor(), at_us: AT_US, expected_generation: None }
}

pub(super) fn with_registry(test: impl FnOnce(&Path, &Registry)) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path()).unwrap();
    test(folder.path(), &registry);
}

pub(super) fn content(registry: &Registry, tenant_name: &str, name: &str) -> Option<Revision> {
    registry.find(&tenant(tenant_name), &app(name)).unwrap().map(|found| found.leading().revision.clone())
}

/// What answers for acme's shop.
pub(super) fn answering(registry: &Registry) -> Traffic {
    registry.find(&tenant("acme"), &app("shop")).unwrap().unwrap().traffic
}

/// Runs a statement on the file, beside the registry.
pub(super) fn sql(folder: &Path, statement: &str) -> usize {
    rusqlite::Connection::open(folder.join("registry.db")).unwrap().execute(statement, ()).unwrap()
}

/// A number out of the file, beside the registry.
pub(super) fn count(folder: &Path, query: &str) -> i64 {
    let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
    database.query_row(query, (), |row| row.get(0)).unwrap()
}

/// An error with everything below it, as an operator reads it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
