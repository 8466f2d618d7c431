//! The audit log.

use cumulet_control::{
    AUDIT_ANONYMOUS_MAX, AUDIT_KNOWN_MAX, AUDIT_TEXT_BYTES_MAX, AuditEntry, AuditFilter, AuditNumber, AuditOutcome,
    Registry,
};
use cumulet_spec::token::Actor;

use super::fixture::{AT_US, actor, count, sql, tenant, with_registry};

fn entry(who: Actor, about: Option<&str>) -> AuditEntry {
    AuditEntry {
        at_us: AT_US,
        who,
        tenant: about.map(tenant),
        action: "traffic.set",
        target: "shop".to_owned(),
        outcome: AuditOutcome::Denied,
        reason: "it may only read".to_owned(),
    }
}

#[test]
fn an_attempt_is_there_after_a_restart() {
    with_registry(|folder, registry| {
        for (who, about) in [(actor(), Some("acme")), (Actor::Anonymous, None), (Actor::Node, Some("evil"))] {
            registry.audit(&entry(who, about)).unwrap();
        }
        let long = AuditEntry { target: "é".repeat(500), ..entry(actor(), Some("acme")) };
        assert_eq!(registry.audit(&long).unwrap(), AuditNumber(4));
        let registry = &Registry::open(folder).unwrap();
        let numbers = |filter: &AuditFilter, before: Option<u64>, limit| -> Vec<u64> {
            let page = registry.audits(filter, before.map(AuditNumber), limit).unwrap();
            page.iter().map(|row| row.number.0).collect()
        };
        let all = AuditFilter::default();
        let acme = AuditFilter { tenant: Some(tenant("acme")) };
        assert_eq!(numbers(&all, None, 10), [4, 3, 2, 1]);
        assert_eq!(numbers(&all, Some(4), 2), [3, 2]);
        assert_eq!(numbers(&acme, None, 10), [4, 1]);
        assert_eq!(numbers(&acme, Some(4), 10), [1]);
        let rows = registry.audits(&all, None, 10).unwrap();
        assert_eq!(rows[0].target.len(), AUDIT_TEXT_BYTES_MAX);
        insta::assert_json_snapshot!(rows[1..]);
        for way in ["outcome = 'perhaps'", "who = 'somebody'", "tenant = 'No Tenant'"] {
            sql(folder, &format!("UPDATE audit SET {way} WHERE number = 2"));
            assert_eq!(numbers(&all, None, 10), [4, 3, 1], "{way}");
        }
    });
}

#[test]
fn strangers_do_not_push_out_what_others_did() {
    with_registry(|folder, registry| {
        for who in [actor(), Actor::Anonymous] {
            registry.audit(&entry(who, None)).unwrap();
        }
        // As if very many had come since.
        let many = |number: u64, kind: u8| {
            format!(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {number})
                 INSERT INTO audit (at_us, who, is_anonymous, tenant, action, target, outcome, reason)
                 SELECT at_us, who, is_anonymous, tenant, action, target, outcome, reason FROM n, audit
                 WHERE audit.number = 1 + {kind}"
            )
        };
        sql(folder, &many(AUDIT_ANONYMOUS_MAX + 500, 1));
        for _ in 0..300 {
            registry.audit(&entry(Actor::Anonymous, None)).unwrap();
        }
        let kept = |kind: u8| {
            let rows = count(folder, &format!("SELECT count(*) FROM audit WHERE is_anonymous = {kind}"));
            u64::try_from(rows).unwrap()
        };
        assert!((AUDIT_ANONYMOUS_MAX..AUDIT_ANONYMOUS_MAX + 256).contains(&kept(1)), "{}", kept(1));
        assert_eq!(kept(0), 1);
        sql(folder, &many(AUDIT_KNOWN_MAX + 500, 0));
        for _ in 0..300 {
            registry.audit(&entry(actor(), None)).unwrap();
        }
        assert!((AUDIT_KNOWN_MAX..AUDIT_KNOWN_MAX + 256).contains(&kept(0)), "{}", kept(0));
        assert!(kept(1) >= AUDIT_ANONYMOUS_MAX);
    });
}
