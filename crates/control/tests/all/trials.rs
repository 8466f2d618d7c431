//! Revisions on trial: kept, or taken back.

use cumulet_control::{
    AuditFilter, BeginDeploy, Change, ChangeErrorKind, ChangeNumber, Registry, TAKE_BACK_ACTION, TakeBack,
    TrafficReason,
};
use cumulet_spec::id::Digest;
use cumulet_spec::revision::Revision;
use cumulet_spec::rollout::{Rollout, Trial};
use cumulet_spec::token::Actor;
use cumulet_spec::traffic::Traffic;

use super::fixture::{
    AT_US, answering, app, begin, id, make_ready, percent, revision, rollback, set_traffic, tenant, traffic,
    with_registry,
};

fn bounded(content: &str) -> Revision {
    Revision { rollout: Some(Rollout::default()), ..revision("shop", content) }
}

/// Deploys a revision with bounds, for a share or for everything.
fn try_out(registry: &Registry, number: u128, content: &str, share: Option<u32>) -> Digest {
    let begin = BeginDeploy { revision: bounded(content), share: share.map(percent), ..begin(number, content) };
    let id = registry.begin_deploy(&begin).unwrap().id;
    make_ready(registry, &id);
    registry.go_live(&id, AT_US).unwrap().revision
}

fn plain(registry: &Registry, number: u128, content: &str) {
    let id = registry.begin_deploy(&begin(number, content)).unwrap().id;
    make_ready(registry, &id);
    registry.go_live(&id, AT_US).unwrap();
}

fn take_back(revision: Digest) -> TakeBack {
    TakeBack { tenant: tenant("acme"), app: app("shop"), revision, why: "it failed".to_owned(), at_us: AT_US }
}

fn trials(registry: &Registry) -> Vec<Option<Trial>> {
    let rows = registry.revisions(&tenant("acme"), &app("shop"), None, 10).unwrap();
    rows.into_iter().map(|row| row.trial).collect()
}

fn is_on_trial(registry: &Registry, revision: &Digest) -> bool {
    registry.is_on_trial(&tenant("acme"), &app("shop"), revision).unwrap()
}

#[test]
fn a_trial_begins_with_going_live_and_ends_once() {
    with_registry(|folder, registry| {
        plain(registry, 1, "1");
        let two = try_out(registry, 2, "2", None);
        assert_eq!(trials(registry), [Some(Trial::Open), None]);
        assert!(is_on_trial(&Registry::open(folder).unwrap(), &two));
        registry.keep(&tenant("acme"), &app("shop"), &two).unwrap();
        assert_eq!(trials(registry), [Some(Trial::Kept), None]);
        assert_eq!(registry.take_back(&take_back(two)).unwrap(), None, "it was kept");
        assert_eq!(answering(registry), Traffic::all(two));
        assert!(!is_on_trial(registry, &two) && !is_on_trial(registry, &id("1")) && !is_on_trial(registry, &id("9")));
    });
}

#[test]
fn what_is_taken_back_leaves_its_requests_to_the_others() {
    with_registry(|_, registry| {
        plain(registry, 1, "1");
        let two = try_out(registry, 2, "2", None);
        let set = registry.take_back(&take_back(two)).unwrap().unwrap();
        assert_eq!((&set.traffic, answering(registry)), (&Traffic::all(id("1")), Traffic::all(id("1"))));
        assert_eq!(trials(registry)[0], Some(Trial::TakenBack { why: "it failed".to_owned() }));
        let row = registry.changes(ChangeNumber(set.number.0 - 1), 1).unwrap().remove(0);
        let reason = TrafficReason::TakenBack;
        assert_eq!(row.change, Change::Traffic { app: app("shop"), traffic: set.traffic, reason });
        let noted = registry.audits(&AuditFilter { tenant: Some(tenant("acme")) }, None, 1).unwrap().remove(0);
        assert_eq!((noted.action.as_str(), noted.target.as_str()), (TAKE_BACK_ACTION, "shop r2"));
        assert_eq!((noted.who, noted.reason.as_str()), (Actor::Node, "it failed"));
        // Somebody wants it back: it is not judged again.
        registry.rollback(&rollback(None)).unwrap();
        assert_eq!((answering(registry), is_on_trial(registry, &two)), (Traffic::all(two), false));
        // Deployed anew, it is.
        try_out(registry, 3, "2", None);
        assert!(is_on_trial(registry, &two));

        let three = try_out(registry, 4, "3", Some(10));
        registry.take_back(&take_back(three)).unwrap().unwrap();
        assert_eq!(answering(registry), Traffic::all(two), "the other arm gets its share");
    });
}

#[test]
fn what_answers_nothing_or_alone_stays() {
    with_registry(|_, registry| {
        let one = try_out(registry, 1, "1", None);
        let error = registry.take_back(&take_back(one)).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::NothingBefore), "{error:?}");
        assert!(is_on_trial(registry, &one), "nothing has changed");
        plain(registry, 2, "2");
        // It gets no requests by now: its trial ends, and nothing else changes.
        assert_eq!(registry.take_back(&take_back(one)).unwrap(), None);
        assert_eq!((answering(registry), is_on_trial(registry, &one)), (Traffic::all(id("2")), false));
        // Before it, half of the requests were its own: they do not come back.
        let three = try_out(registry, 3, "3", None);
        registry.set_traffic(&set_traffic(traffic(&[("2", 100)]))).unwrap();
        registry.rollback(&rollback(None)).unwrap();
        registry.take_back(&take_back(three)).unwrap().unwrap();
        assert_eq!(answering(registry), Traffic::all(id("2")));
    });
}
