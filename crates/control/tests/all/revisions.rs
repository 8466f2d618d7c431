//! Revisions: numbered, found again, and kept as long as something may lead to them.

use cumulet_control::{BeginDeploy, REVISIONS_KEPT_MAX, RevisionErrorKind, RevisionNumber, RevisionRef};
use cumulet_spec::traffic::Traffic;

use super::fixture::{
    AT_US, actor, answering, app, begin, chain, count, deploy, id, percent, remove, revision, rollback, set_traffic,
    ship, sql, tenant, traffic, with_registry,
};

fn numbers(rows: &[cumulet_control::RevisionRow]) -> Vec<u64> {
    rows.iter().map(|row| row.number.0).collect()
}

#[test]
fn revisions_are_numbered_and_say_who_made_them() {
    with_registry(|_, registry| {
        let name = (tenant("acme"), app("shop"));
        ship(registry, &BeginDeploy { note: Some("first".to_owned()), ..begin(1, "1") });
        ship(registry, &BeginDeploy { share: Some(percent(10)), ..begin(2, "2") });
        registry.begin_deploy(&begin(3, "3")).unwrap();
        let rows = registry.revisions(&name.0, &name.1, None, 10).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.number.to_string(), row.digest, row.percent)).collect();
        let expect = [("r3", "3", 0), ("r2", "2", 10), ("r1", "1", 90)];
        assert_eq!(found, expect.map(|(number, content, share)| (number.to_owned(), id(content), share)));
        assert!(rows.iter().all(|row| row.by == Some(actor()) && row.at_us == AT_US));
        assert_eq!([&rows[0], &rows[1], &rows[2]].map(|row| row.is_ready), [false, true, true]);
        assert_eq!(rows[2].note.as_deref(), Some("first"));
        assert_eq!(rows[2].bytes, serde_json::to_vec(&revision("shop", "1")).unwrap().len() as u64);
        assert_eq!(numbers(&registry.revisions(&name.0, &name.1, Some(RevisionNumber(3)), 1).unwrap()), [2]);
        assert_eq!(registry.revisions(&tenant("evil"), &name.1, None, 10).unwrap(), []);
        // The same content is the same revision, whoever deploys it when.
        let again = registry.begin_deploy(&BeginDeploy { at_us: 9, ..begin(4, "1") }).unwrap();
        assert_eq!((again.number, again.revision), (RevisionNumber(1), id("1")));
        assert_eq!(registry.revisions(&name.0, &name.1, Some(RevisionNumber(2)), 10).unwrap()[0], rows[2]);
    });
}

#[test]
fn a_revision_is_found_by_number_and_digest() {
    with_registry(|folder, registry| {
        for content in ["1", "2"] {
            registry.deploy(&deploy("acme", "shop", content)).unwrap();
        }
        let find = |text: &str| registry.revision(&tenant("acme"), &app("shop"), &RevisionRef::parse(text).unwrap());
        let hex = id("2").to_hex();
        for text in ["r2", &hex, &id("2").to_string(), &hex[..8], &hex[..63], &hex[..9].to_uppercase()] {
            let (row, found) = find(text).unwrap();
            assert_eq!((row.number, row.digest, row.percent), (RevisionNumber(2), id("2"), 100), "{text}");
            assert_eq!(found, revision("shop", "2"));
        }
        let unknown = [find("r3").unwrap_err(), find(&id("3").to_string()).unwrap_err(), find("00000000").unwrap_err()];
        for error in &unknown {
            assert!(matches!(error.kind, RevisionErrorKind::Unknown { .. }), "{error:?}");
        }
        let foreign = registry.revision(&tenant("evil"), &app("shop"), &RevisionRef::parse("r2").unwrap());
        assert!(foreign.is_err());
        // Another one that begins alike, and is not what its digest says.
        let alike = format!("UPDATE revisions SET digest = x'{}00' WHERE number = 1", &hex[..62]);
        assert_eq!(sql(folder, &alike), 1);
        let ambiguous = find(&hex[..8]).unwrap_err();
        let damaged = find("r1").unwrap_err();
        assert!(matches!(damaged.kind, RevisionErrorKind::Find(_)), "{damaged:?}");
        insta::assert_snapshot!([chain(&unknown[0]), chain(&ambiguous), chain(&damaged)].join("\n"));
    });
}

#[test]
fn what_is_in_use_is_never_forgotten() {
    with_registry(|folder, registry| {
        registry.deploy(&deploy("acme", "shop", "stable")).unwrap();
        registry.deploy(&deploy("acme", "shop", "canary")).unwrap();
        let split = traffic(&[("stable", 90), ("canary", 10)]);
        registry.set_traffic(&set_traffic(split.clone())).unwrap();
        registry.begin_deploy(&begin(1, "slow")).unwrap();
        for number in 2..60 {
            let begun = registry.begin_deploy(&begin(number, &number.to_string())).unwrap();
            let failure = cumulet_spec::deploy::DeployFailure::new(
                cumulet_spec::deploy::DeployPhase::Probed,
                "it answered 500",
                "mend it",
            );
            registry.fail(&begun.id, &failure, AT_US).unwrap();
        }
        registry.begin_deploy(&begin(60, "last")).unwrap();
        assert_eq!(answering(registry), split);
        let rows = registry.revisions(&tenant("acme"), &app("shop"), None, 100).unwrap();
        // What answers, what answered before, and the two deploys that are on their way.
        assert_eq!(rows.len(), usize::try_from(REVISIONS_KEPT_MAX).unwrap() + 2 + 2);
        for content in ["stable", "canary", "slow", "last", "59"] {
            assert!(rows.iter().any(|row| row.digest == id(content)), "{content} is gone");
        }
        assert_eq!(rows[0].number, RevisionNumber(62), "a number was given twice");
        // What answered before the split is kept to go back to.
        assert_eq!(registry.rollback(&rollback(None)).unwrap().traffic, Traffic::all(id("canary")));
        registry.remove(&remove("acme", "shop")).unwrap();
        assert_eq!(count(folder, "SELECT count(*) FROM revisions"), 0);
    });
}
