//! Which revisions answer: split, set, rolled back.

use cumulet_control::{
    Change, ChangeErrorKind, ChangeNumber, Deploy, FindError, Registry, Rollback, SetTraffic, TrafficReason,
};
use cumulet_spec::traffic::{HeaderRule, Sticky, Traffic};

use super::fixture::{
    actor, answering, app, begin, chain, deploy, host, hosts, id, key, percent, rollback, set_traffic, ship, sql,
    tenant, traffic, with_registry,
};

fn ruled(content: &str) -> Traffic {
    let rule = HeaderRule::new("x-beta", "yes", id(content)).unwrap();
    let plain = traffic(&[("1", 60), ("2", 40)]);
    Traffic::new(plain.arms().to_vec(), vec![rule], Some(Sticky::default())).unwrap()
}

/// Revisions 1, 2 and 3 of acme's shop, of which the last answers.
fn deploy_three(registry: &Registry) {
    for content in ["1", "2", "3"] {
        registry.deploy(&deploy("acme", "shop", content)).unwrap();
    }
}

#[test]
fn several_revisions_answer_after_a_restart_too() {
    with_registry(|folder, registry| {
        deploy_three(registry);
        let set = registry.set_traffic(&set_traffic(ruled("3"))).unwrap();
        assert_eq!((set.number, &set.traffic), (ChangeNumber(4), &ruled("3")));
        for registry in [registry, &Registry::open(folder).unwrap()] {
            let found = registry.find(&tenant("acme"), &app("shop")).unwrap().unwrap();
            assert_eq!((found.generation, &found.traffic), (set.number, &ruled("3")));
            let arms: Vec<_> = found.arms().iter().map(|arm| (arm.id, arm.percent)).collect();
            assert_eq!(arms, [(id("1"), Some(percent(60))), (id("2"), Some(percent(40))), (id("3"), None)]);
            assert!(found.arms().iter().all(|arm| arm.revision.id() == arm.id));
            assert_eq!(found.leading().id, id("1"));
            let [row] = registry.apps(None, 10).unwrap().try_into().unwrap();
            assert_eq!((row.revision, row.traffic), (Some(id("1")), Some(ruled("3"))));
            assert_eq!(registry.tenant_apps(&tenant("acme"), None, 10).unwrap().len(), 1);
            assert_eq!(registry.tenant_apps(&tenant("evil"), None, 10).unwrap(), []);
        }
        let row = registry.changes(ChangeNumber(3), 1).unwrap().remove(0);
        let reason = TrafficReason::Set;
        assert_eq!(row.change, Change::Traffic { app: app("shop"), traffic: ruled("3"), reason });
        assert_eq!(row.by, Some(actor()));
        registry.deploy(&deploy("acme", "shop", "4")).unwrap();
        assert_eq!(answering(registry), Traffic::all(id("4")), "a whole deploy left something of the split");
    });
}

#[test]
fn a_rollback_goes_to_what_answered_before_and_back() {
    with_registry(|_, registry| {
        registry.deploy(&deploy("acme", "shop", "1")).unwrap();
        let error = registry.rollback(&rollback(None)).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::NothingBefore), "{error:?}");
        registry.deploy(&deploy("acme", "shop", "2")).unwrap();
        // Deploys that change nothing are no steps to go back over.
        registry.deploy(&deploy("acme", "shop", "2")).unwrap();
        registry.set_traffic(&set_traffic(Traffic::all(id("2")))).unwrap();
        for expect in ["1", "2", "1"] {
            assert_eq!(registry.rollback(&rollback(None)).unwrap().traffic, Traffic::all(id(expect)));
            assert_eq!(answering(registry), Traffic::all(id(expect)));
        }
        let split = traffic(&[("1", 50), ("2", 50)]);
        registry.set_traffic(&set_traffic(split.clone())).unwrap();
        assert_eq!(registry.rollback(&rollback(Some("r2"))).unwrap().traffic, Traffic::all(id("2")));
        assert_eq!(registry.rollback(&rollback(None)).unwrap().traffic, split);
        let hex = id("1").to_hex();
        assert_eq!(registry.rollback(&rollback(Some(&hex[..8]))).unwrap().traffic, Traffic::all(id("1")));
    });
}

#[test]
fn a_request_that_is_sent_again_is_done_once() {
    with_registry(|_, registry| {
        deploy_three(registry);
        let set = SetTraffic { idempotency_key: key("k1"), ..set_traffic(traffic(&[("1", 50), ("2", 50)])) };
        let done = registry.set_traffic(&set).unwrap();
        let back = Rollback { idempotency_key: key("k2"), ..rollback(None) };
        let undone = registry.rollback(&back).unwrap();
        assert_eq!(undone.traffic, Traffic::all(id("3")));
        assert_eq!(registry.set_traffic(&set).unwrap(), done);
        assert_eq!(registry.rollback(&back).unwrap(), undone);
        assert_eq!(answering(registry), Traffic::all(id("3")), "it was done twice");
        let reused = [
            registry.set_traffic(&SetTraffic { traffic: Traffic::all(id("1")), ..set.clone() }).unwrap_err(),
            registry.set_traffic(&SetTraffic { idempotency_key: key("k2"), ..set.clone() }).unwrap_err(),
            registry.rollback(&Rollback { to: Some("r1".parse().unwrap()), ..back.clone() }).unwrap_err(),
            registry.rollback(&Rollback { idempotency_key: key("k1"), ..back }).unwrap_err(),
            registry.deploy(&Deploy { idempotency_key: key("k1"), ..deploy("acme", "shop", "1") }).unwrap_err(),
        ];
        for error in reused {
            assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
        }
    });
}

#[test]
fn a_change_in_between_is_noticed() {
    with_registry(|_, registry| {
        deploy_three(registry);
        let expecting = |number| SetTraffic {
            expected_generation: Some(ChangeNumber(number)),
            ..set_traffic(Traffic::all(id("1")))
        };
        assert!(registry.set_traffic(&expecting(2)).is_err());
        let done = registry.set_traffic(&expecting(3)).unwrap();
        let stale = Rollback { expected_generation: Some(ChangeNumber(3)), ..rollback(None) };
        let error = registry.rollback(&stale).unwrap_err();
        let ChangeErrorKind::Generation { expected, found } = error.kind else { panic!("{error:?}") };
        assert_eq!((expected, found), (ChangeNumber(3), done.number));
    });
}

#[test]
fn hosts_follow_the_revisions_that_answer() {
    with_registry(|_, registry| {
        let with = |content: &str, names: &[&str]| Deploy { hosts: hosts(names), ..deploy("acme", "shop", content) };
        registry.deploy(&with("1", &["a.example", "b.example"])).unwrap();
        registry.deploy(&with("2", &["b.example", "c.example"])).unwrap();
        let check = |expect: &[&str]| {
            assert_eq!(registry.hosts(&tenant("acme"), &app("shop")).unwrap(), hosts(expect));
        };
        check(&["b.example", "c.example"]);
        registry.set_traffic(&set_traffic(traffic(&[("1", 50), ("2", 50)]))).unwrap();
        check(&["a.example", "b.example", "c.example"]);
        registry.rollback(&rollback(Some("r1"))).unwrap();
        check(&["a.example", "b.example"]);
        registry.deploy(&Deploy { hosts: vec![host("c.example")], ..deploy("acme", "blog", "1") }).unwrap();
        let error = registry.rollback(&rollback(Some("r2"))).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::HostTaken { .. }), "{error:?}");
        check(&["a.example", "b.example"]);
        assert_eq!(answering(registry), Traffic::all(id("1")), "it was done in part");
    });
}

#[test]
fn damage_of_a_split_costs_its_app_and_is_healed() {
    let ways = [
        "DELETE FROM revisions WHERE number = 2",
        "UPDATE revisions SET written = x'00' WHERE number = 2",
        "UPDATE apps SET traffic = replace(traffic, 'arms', 'legs')",
        "UPDATE apps SET traffic = replace(traffic, '60', '61')",
        "UPDATE apps SET revision = (SELECT id FROM revisions WHERE number = 3)",
    ];
    for way in ways {
        with_registry(|folder, registry| {
            deploy_three(registry);
            registry.set_traffic(&set_traffic(traffic(&[("1", 60), ("2", 40)]))).unwrap();
            assert_eq!(sql(folder, way), 1, "{way}");
            let error = registry.find(&tenant("acme"), &app("shop")).unwrap_err();
            assert!(matches!(error, FindError::Damaged { .. }), "{way}: {error:?}");
            assert_eq!(registry.apps(None, 10).unwrap().len(), 1, "{way}");
            registry.deploy(&deploy("acme", "shop", "2")).unwrap();
            assert_eq!(answering(registry), Traffic::all(id("2")), "{way}: not healed");
        });
    }
}

#[test]
fn an_error_says_what_to_do() {
    with_registry(|folder, registry| {
        let lines = |errors: &[&dyn std::error::Error]| errors.iter().map(|error| chain(*error)).collect::<Vec<_>>();
        let absent = registry.set_traffic(&set_traffic(Traffic::all(id("1")))).unwrap_err();
        registry.deploy(&deploy("acme", "shop", "1")).unwrap();
        let nothing = registry.rollback(&rollback(None)).unwrap_err();
        let gone = registry.set_traffic(&set_traffic(traffic(&[("1", 50), ("9", 50)]))).unwrap_err();
        let unknown = registry.rollback(&rollback(Some("r9"))).unwrap_err();
        let other = registry.rollback(&rollback(Some("deadbeef"))).unwrap_err();
        let stale = Rollback { expected_generation: Some(ChangeNumber(9)), ..rollback(None) };
        let stale = registry.rollback(&stale).unwrap_err();
        ship(registry, &begin(1, "2"));
        sql(folder, "UPDATE apps SET previous = 'nonsense'");
        let damaged = registry.rollback(&rollback(None)).unwrap_err();
        registry.begin_deploy(&begin(2, "3")).unwrap();
        let unready = registry.rollback(&rollback(Some("r3"))).unwrap_err();
        let also = registry.set_traffic(&set_traffic(traffic(&[("2", 50), ("3", 50)]))).unwrap_err();
        assert_eq!(chain(&also), chain(&unready));
        let before = registry.changes(ChangeNumber::NONE, 10).unwrap().len();
        assert_eq!(before, 2, "a refused request left something");
        insta::assert_snapshot!(
            lines(&[&absent, &nothing, &gone, &unknown, &other, &stale, &damaged, &unready]).join("\n")
        );
    });
}
