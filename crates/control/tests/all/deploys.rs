//! Deploys: from a revision that was received to one that answers.

use cumulet_control::{
    BeginDeploy, Change, ChangeErrorKind, ChangeNumber, DEPLOYS_KEPT_MAX, DEPLOYS_UNFINISHED_MAX, Deploy,
    DeployErrorKind, NOTE_BYTES_MAX, Registry, RevisionNumber,
};
use cumulet_spec::deploy::{DeployFailure, DeployId, DeployPhase};
use cumulet_spec::traffic::Traffic;

use super::fixture::{
    AT_US, actor, answering, app, begin, chain, content, count, deploy, host, hosts, id, key, make_ready, percent,
    remove, revision, set_traffic, ship, sql, tenant, traffic, with_registry,
};

fn failure() -> DeployFailure {
    DeployFailure::new(DeployPhase::Probed, "the probe got 500", "look at its log")
}

#[test]
fn a_deploy_goes_through_its_phases_and_then_answers() {
    with_registry(|folder, registry| {
        let begun = registry.begin_deploy(&BeginDeploy { hosts: hosts(&["a.example"]), ..begin(1, "1") }).unwrap();
        assert_eq!((begun.number, begun.revision, begun.is_new), (RevisionNumber(1), id("1"), true));
        assert_eq!(content(registry, "acme", "shop"), None, "it answers before it is ready");
        assert_eq!(registry.find_host("a.example").unwrap(), None);
        let early = registry.go_live(&begun.id, AT_US).unwrap_err();
        assert!(matches!(early.kind, DeployErrorKind::Order { .. }), "{early:?}");
        assert!(registry.advance(&begun.id, DeployPhase::Linked, AT_US).is_err(), "a phase was left out");
        make_ready(registry, &begun.id);
        // Again, as after a restart.
        make_ready(registry, &begun.id);
        let registry = &Registry::open(folder).unwrap();
        assert_eq!(registry.unfinished_deploys().unwrap().len(), 1);
        let live = registry.go_live(&begun.id, AT_US + 9).unwrap();
        assert_eq!(registry.go_live(&begun.id, AT_US + 10).unwrap(), live);
        assert_eq!(content(registry, "acme", "shop"), Some(revision("shop", "1")));
        assert_eq!(registry.find_host("a.example").unwrap(), Some((tenant("acme"), app("shop"))));
        assert_eq!(registry.unfinished_deploys().unwrap(), []);
        let row = registry.find_deploy(&begun.id).unwrap().unwrap();
        insta::assert_json_snapshot!(row);
        assert_eq!(registry.deploys(&tenant("acme"), &app("shop"), 10).unwrap(), [row]);
        let change = registry.changes(ChangeNumber::NONE, 10).unwrap().remove(0);
        assert_eq!((change.by, change.number), (Some(actor()), live.number));
        let Change::Deploy { deploy, traffic, hosts, .. } = change.change else { panic!("not a deploy") };
        assert_eq!((deploy, traffic, hosts), (Some(begun.id), None, vec![host("a.example")]));
    });
}

#[test]
fn a_newcomer_gets_its_share_of_what_answers_then() {
    with_registry(|_, registry| {
        // The first of an app has nobody to share with.
        ship(registry, &BeginDeploy { share: Some(percent(10)), ..begin(1, "1") });
        assert_eq!(answering(registry), Traffic::all(id("1")));
        ship(registry, &BeginDeploy { share: Some(percent(10)), ..begin(2, "2") });
        assert_eq!(answering(registry), traffic(&[("1", 90), ("2", 10)]));
        let third = registry.begin_deploy(&BeginDeploy { share: Some(percent(20)), ..begin(3, "3") }).unwrap();
        registry.set_traffic(&set_traffic(traffic(&[("1", 50), ("2", 50)]))).unwrap();
        make_ready(registry, &third.id);
        let live = registry.go_live(&third.id, AT_US).unwrap();
        assert_eq!(answering(registry), traffic(&[("1", 40), ("2", 40), ("3", 20)]));
        let row = registry.changes(ChangeNumber(live.number.0 - 1), 1).unwrap().remove(0);
        assert!(
            matches!(&row.change, Change::Deploy { traffic: Some(traffic), .. } if *traffic == answering(registry))
        );
        ship(registry, &begin(4, "4"));
        assert_eq!(answering(registry), Traffic::all(id("4")));
    });
}

#[test]
fn what_was_given_up_changes_nothing() {
    with_registry(|_, registry| {
        ship(registry, &begin(1, "1"));
        let begun = registry.begin_deploy(&begin(2, "2")).unwrap();
        registry.advance(&begun.id, DeployPhase::Compiled, AT_US + 1).unwrap();
        registry.fail(&begun.id, &failure(), AT_US + 2).unwrap();
        registry.fail(&begun.id, &failure(), AT_US + 3).unwrap();
        let row = registry.find_deploy(&begun.id).unwrap().unwrap();
        assert_eq!((row.phase, row.failure), (DeployPhase::Failed, Some(failure())));
        let phases = [DeployPhase::Received, DeployPhase::Compiled, DeployPhase::Failed];
        assert_eq!(row.phases, phases.into_iter().zip(AT_US..).collect::<Vec<_>>());
        for error in [
            registry.advance(&begun.id, DeployPhase::Linked, AT_US).unwrap_err(),
            registry.go_live(&begun.id, AT_US).unwrap_err(),
        ] {
            assert!(matches!(error.kind, DeployErrorKind::Ended { phase: DeployPhase::Failed }), "{error:?}");
        }
        assert_eq!(answering(registry), Traffic::all(id("1")));
        assert_eq!(registry.changes(ChangeNumber::NONE, 10).unwrap().len(), 1);
        // Its revision stays, to be looked at and to be deployed again.
        assert_eq!(registry.begin_deploy(&begin(3, "2")).unwrap().number, RevisionNumber(2));
    });
}

#[test]
fn a_request_that_is_sent_again_gets_the_same_deploy() {
    with_registry(|_, registry| {
        let first = BeginDeploy { idempotency_key: key("k"), ..begin(1, "1") };
        let begun = registry.begin_deploy(&first).unwrap();
        let again = BeginDeploy { id: DeployId::from_bits(2), at_us: AT_US + 5, ..first.clone() };
        let found = registry.begin_deploy(&again).unwrap();
        assert_eq!((found.id, found.number, found.is_new), (begun.id.clone(), begun.number, false));
        make_ready(registry, &begun.id);
        registry.go_live(&begun.id, AT_US).unwrap();
        assert!(!registry.begin_deploy(&again).unwrap().is_new);
        for other in [
            BeginDeploy { revision: revision("shop", "2"), ..again.clone() },
            BeginDeploy { share: Some(percent(5)), ..again.clone() },
            BeginDeploy { hosts: hosts(&["a.example"]), ..again.clone() },
        ] {
            let error = registry.begin_deploy(&other).unwrap_err();
            assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
        }
        let error = registry.deploy(&Deploy { idempotency_key: key("k"), ..deploy("acme", "shop", "1") }).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
        registry.deploy(&Deploy { idempotency_key: key("k2"), ..deploy("acme", "shop", "1") }).unwrap();
        let error = registry.begin_deploy(&BeginDeploy { idempotency_key: key("k2"), ..begin(3, "1") }).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
        // Each tenant has keys of its own.
        let foreign = BeginDeploy { tenant: tenant("evil"), id: DeployId::from_bits(4), ..again };
        assert!(registry.begin_deploy(&foreign).unwrap().is_new);
    });
}

#[test]
fn a_change_in_between_is_noticed_when_it_goes_live() {
    with_registry(|_, registry| {
        ship(registry, &begin(1, "1"));
        let expecting = |number, generation| BeginDeploy {
            expected_generation: Some(ChangeNumber(generation)),
            ..begin(number, &number.to_string())
        };
        assert!(registry.begin_deploy(&expecting(2, 7)).is_err(), "noticed at once");
        let begun = registry.begin_deploy(&expecting(2, 1)).unwrap();
        make_ready(registry, &begun.id);
        registry.deploy(&deploy("acme", "shop", "3")).unwrap();
        let error = registry.go_live(&begun.id, AT_US).unwrap_err();
        assert!(matches!(error.kind, DeployErrorKind::Change(ChangeErrorKind::Generation { .. })), "{error:?}");
        assert_eq!(answering(registry), Traffic::all(id("3")));
        let row = registry.find_deploy(&begun.id).unwrap().unwrap();
        assert_eq!((row.phase, row.expected_generation), (DeployPhase::Probed, Some(ChangeNumber(1))));
    });
}

#[test]
fn a_host_that_was_taken_meanwhile_refuses_it() {
    with_registry(|_, registry| {
        let begun = registry.begin_deploy(&BeginDeploy { hosts: hosts(&["a.example"]), ..begin(1, "1") }).unwrap();
        registry.deploy(&Deploy { hosts: hosts(&["a.example"]), ..deploy("evil", "blog", "1") }).unwrap();
        make_ready(registry, &begun.id);
        let error = registry.go_live(&begun.id, AT_US).unwrap_err();
        assert!(matches!(error.kind, DeployErrorKind::Change(ChangeErrorKind::HostElsewhere { .. })), "{error:?}");
        assert_eq!(content(registry, "acme", "shop"), None);
        let error = registry.begin_deploy(&BeginDeploy { hosts: hosts(&["a.example"]), ..begin(2, "1") }).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::HostElsewhere { .. }), "{error:?}");
    });
}

#[test]
fn a_removed_app_takes_its_deploys_along() {
    with_registry(|_, registry| {
        ship(registry, &begin(1, "1"));
        let begun = registry.begin_deploy(&begin(2, "2")).unwrap();
        make_ready(registry, &begun.id);
        registry.remove(&remove("acme", "shop")).unwrap();
        let error = registry.go_live(&begun.id, AT_US).unwrap_err();
        assert!(matches!(error.kind, DeployErrorKind::Ended { phase: DeployPhase::Failed }), "{error:?}");
        assert_eq!(content(registry, "acme", "shop"), None);
    });
}

#[test]
fn deploys_are_bounded() {
    with_registry(|folder, registry| {
        for number in 0..100 {
            let begun = registry.begin_deploy(&begin(number, &number.to_string())).unwrap();
            registry.fail(&begun.id, &failure(), AT_US).unwrap();
        }
        // The oldest are forgotten when the next one begins.
        let kept = count(folder, "SELECT count(*) FROM deploys");
        assert_eq!(kept, i64::from(DEPLOYS_KEPT_MAX) + 1);
        for number in 0..u128::from(DEPLOYS_UNFINISHED_MAX) {
            registry.begin_deploy(&begin(1_000 + number, &number.to_string())).unwrap();
        }
        let error = registry.begin_deploy(&begin(2_000, "1")).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::TooManyDeploys), "{error:?}");
        let other = BeginDeploy { tenant: tenant("other"), ..begin(2_000, "1") };
        assert!(registry.begin_deploy(&other).is_ok(), "another tenant waits for it");
    });
}

#[test]
fn damage_costs_its_deploy_alone() {
    let ways = [
        "UPDATE deploys SET phase = 'nonsense'",
        "UPDATE deploys SET phases = '[]]'",
        "UPDATE deploys SET revision = x'00'",
        "UPDATE deploys SET share = 101",
        "UPDATE deploys SET failure = '{'",
    ];
    for way in ways {
        with_registry(|folder, registry| {
            registry.deploy(&deploy("acme", "shop", "1")).unwrap();
            let begun = registry.begin_deploy(&begin(1, "2")).unwrap();
            sql(folder, way);
            assert!(registry.find_deploy(&begun.id).is_err(), "{way}");
            let other = registry.begin_deploy(&begin(3, "4")).unwrap();
            let left: Vec<_> = registry.unfinished_deploys().unwrap().into_iter().map(|row| row.id).collect();
            assert_eq!(left, [other.id], "{way}");
            assert!(registry.go_live(&begun.id, AT_US).is_err(), "{way}");
            assert_eq!(answering(registry), Traffic::all(id("1")), "{way}");
            ship(registry, &begin(2, "3"));
            assert_eq!(answering(registry), Traffic::all(id("3")), "{way}");
            registry.remove(&remove("acme", "shop")).unwrap();
        });
    }
}

#[test]
fn an_error_says_what_to_do() {
    with_registry(|_, registry| {
        let begun = registry.begin_deploy(&begin(1, "1")).unwrap();
        let long = BeginDeploy { note: Some("x".repeat(NOTE_BYTES_MAX + 1)), ..begin(2, "2") };
        let unknown = DeployId::from_bits(99);
        let mut lines = vec![
            chain(&registry.begin_deploy(&long).unwrap_err()),
            chain(&registry.begin_deploy(&begin(1, "2")).unwrap_err()),
            chain(&registry.advance(&unknown, DeployPhase::Compiled, AT_US).unwrap_err()),
            chain(&registry.advance(&begun.id, DeployPhase::Probed, AT_US).unwrap_err()),
            chain(&registry.go_live(&begun.id, AT_US).unwrap_err()),
        ];
        registry.fail(&begun.id, &failure(), AT_US).unwrap();
        lines.push(chain(&registry.go_live(&begun.id, AT_US).unwrap_err()));
        for number in 0..u128::from(DEPLOYS_UNFINISHED_MAX) {
            registry.begin_deploy(&begin(1_000 + number, "1")).unwrap();
        }
        lines.push(chain(&registry.begin_deploy(&begin(2_000, "1")).unwrap_err()));
        insta::assert_snapshot!(lines.join("\n"));
    });
}
