//! Tenants, their hosts, and tokens.

use cumulet_control::{
    Change, ChangeNumber, Deploy, NewToken, PutTenant, REACH_TOKENS_MAX, Registry, TENANT_HOSTS_MAX, TenantErrorKind,
    TokenErrorKind, TokenRefused,
};
use cumulet_spec::token::{Actor, Reach, Scope, TokenId, TokenName, TokenText};

use super::fixture::{
    AT_US, actor, app, begin, chain, count, deploy, host, hosts, put_tenant, remove, sql, tenant, with_registry,
};

fn token(number: u8, reach: Reach, scope: Scope) -> (TokenText, NewToken) {
    let text = TokenText::new(TokenId::parse(&format!("token{number:03}")).unwrap(), &[number; 32]);
    let new = NewToken {
        id: text.id().clone(),
        hash: text.hash(),
        name: TokenName::parse("ci of the shop").unwrap(),
        reach,
        scope,
        expires_us: None,
        by: Actor::Node,
        at_us: AT_US,
    };
    (text, new)
}

#[test]
fn a_tenant_is_there_after_a_restart() {
    with_registry(|folder, registry| {
        let made = registry.put_tenant(&put_tenant("acme", &["B.example", "a.example", "b.example"])).unwrap();
        assert_eq!((made.number, made.is_new), (ChangeNumber(1), true));
        let again = registry.put_tenant(&put_tenant("acme", &["a.example", "b.example"])).unwrap();
        assert_eq!((again.number, again.is_new), (ChangeNumber(2), false));
        registry.put_tenant(&put_tenant("other", &[])).unwrap();
        for registry in [registry, &Registry::open(folder).unwrap()] {
            let row = registry.tenant(&tenant("acme")).unwrap().unwrap();
            assert_eq!((row.generation, row.at_us), (ChangeNumber(2), AT_US));
            assert_eq!(row.hosts, hosts(&["a.example", "b.example"]));
            assert_eq!(registry.granted("a.example").unwrap(), Some(tenant("acme")));
            assert_eq!(registry.granted("c.example").unwrap(), None);
            assert_eq!(registry.tenant(&tenant("evil")).unwrap(), None);
            let names = |after| -> Vec<String> {
                let page = registry.tenants(after, 1).unwrap();
                page.iter().map(|row| row.tenant.to_string()).collect()
            };
            assert_eq!(
                (names(None), names(Some(&tenant("acme")))),
                (vec!["acme".to_owned()], vec!["other".to_owned()])
            );
        }
        let row = registry.changes(ChangeNumber(1), 1).unwrap().remove(0);
        assert_eq!((row.tenant, row.by), (Some(tenant("acme")), Some(actor())));
        assert_eq!(row.change, Change::Tenant { hosts: hosts(&["a.example", "b.example"]) });
    });
}

#[test]
fn a_host_is_granted_to_one_tenant() {
    with_registry(|_, registry| {
        registry.put_tenant(&put_tenant("acme", &["a.example", "b.example"])).unwrap();
        let error = registry.put_tenant(&put_tenant("evil", &["c.example", "a.example"])).unwrap_err();
        assert!(matches!(error.kind, TenantErrorKind::HostGranted { .. }), "{error:?}");
        assert_eq!(registry.granted("c.example").unwrap(), None, "it was done in part");
        registry.deploy(&Deploy { hosts: vec![host("a.example")], ..deploy("acme", "shop", "1") }).unwrap();
        let error = registry.put_tenant(&put_tenant("acme", &["b.example"])).unwrap_err();
        assert!(matches!(error.kind, TenantErrorKind::HostInUse { .. }), "{error:?}");
        registry.put_tenant(&put_tenant("acme", &["a.example"])).unwrap();
        registry.put_tenant(&put_tenant("evil", &["b.example"])).unwrap();
        // A host that an app has without a grant here, as by the node's configuration.
        registry.deploy(&Deploy { hosts: vec![host("d.example")], ..deploy("acme", "blog", "1") }).unwrap();
        let error = registry.put_tenant(&put_tenant("evil", &["b.example", "d.example"])).unwrap_err();
        assert!(matches!(error.kind, TenantErrorKind::HostInUse { .. }), "{error:?}");
    });
}

#[test]
fn a_tenant_goes_with_everything_but_apps() {
    with_registry(|folder, registry| {
        registry.put_tenant(&put_tenant("acme", &["a.example"])).unwrap();
        registry.deploy(&deploy("acme", "shop", "1")).unwrap();
        let error = registry.remove_tenant(&tenant("acme"), &actor(), AT_US).unwrap_err();
        assert!(matches!(&error.kind, TenantErrorKind::HasApps { app: found } if *found == app("shop")), "{error:?}");
        registry.remove(&remove("acme", "shop")).unwrap();
        let begun = registry.begin_deploy(&begin(1, "1")).unwrap();
        registry.put_blob(&tenant("acme"), &begun.revision, 5, AT_US).unwrap();
        registry.put_token(&token(1, Reach::Tenant(tenant("acme")), Scope::Deploy).1).unwrap();
        registry.put_token(&token(2, Reach::Node, Scope::Admin).1).unwrap();
        registry.remove_tenant(&tenant("acme"), &actor(), AT_US).unwrap();
        assert_eq!(registry.tenant(&tenant("acme")).unwrap(), None);
        assert_eq!(registry.granted("a.example").unwrap(), None);
        assert_eq!(registry.tokens(None, None, 10).unwrap().len(), 1);
        assert_eq!(registry.find_deploy(&begun.id).unwrap(), None);
        for table in ["revisions", "deploys", "blobs", "blob_totals", "tenant_hosts"] {
            assert_eq!(count(folder, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
    });
}

#[test]
fn a_token_admits_until_it_expires_or_is_removed() {
    with_registry(|folder, registry| {
        let (text, new) = token(1, Reach::Tenant(tenant("acme")), Scope::Deploy);
        registry.put_token(&NewToken { expires_us: Some(AT_US + 10), ..new }).unwrap();
        let registry = &Registry::open(folder).unwrap();
        let row = registry.token(text.id()).unwrap().unwrap();
        let bearer = row.admits(&text, AT_US).unwrap();
        assert!(bearer.may(Scope::Deploy, &tenant("acme")) && !bearer.may(Scope::Deploy, &tenant("evil")));
        assert_eq!(row.admits(&text, AT_US + 10), Err(TokenRefused::Expired));
        let file = std::fs::read(folder.join("registry.db")).unwrap();
        let log = std::fs::read(folder.join("registry.db-wal")).unwrap_or_default();
        let secret = &text.reveal().as_bytes()[20..];
        let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!is_in(&file) && !is_in(&log), "the token itself is kept");
        registry.remove_token(text.id(), &actor(), AT_US).unwrap();
        assert_eq!(registry.token(text.id()).unwrap(), None);
        let changes: Vec<_> =
            registry.changes(ChangeNumber::NONE, 9).unwrap().into_iter().map(|row| row.change).collect();
        insta::assert_json_snapshot!(changes);
    });
}

#[test]
fn tokens_are_listed_by_reach() {
    with_registry(|_, registry| {
        let acme = Reach::Tenant(tenant("acme"));
        for (number, reach) in
            [(1, Reach::Node), (2, acme.clone()), (3, acme.clone()), (4, Reach::Tenant(tenant("evil")))]
        {
            registry.put_token(&token(number, reach, Scope::Read).1).unwrap();
        }
        let ids = |reach: Option<&Reach>, after: Option<&str>, limit| -> Vec<String> {
            let after = after.map(|after| TokenId::parse(after).unwrap());
            let page = registry.tokens(reach, after.as_ref(), limit).unwrap();
            page.iter().map(|row| row.id.to_string()).collect()
        };
        assert_eq!(ids(None, None, 10).len(), 4);
        assert_eq!(ids(None, Some("token001"), 2), ["token002", "token003"]);
        assert_eq!(ids(Some(&acme), None, 10), ["token002", "token003"]);
        assert_eq!(ids(Some(&acme), Some("token002"), 10), ["token003"]);
        assert_eq!(ids(Some(&Reach::Node), None, 10), ["token001"]);
    });
}

#[test]
fn the_first_admin_is_made_once() {
    with_registry(|_, registry| {
        let (_, first) = token(1, Reach::Node, Scope::Admin);
        assert!(registry.first_admin(&first).unwrap());
        assert!(!registry.first_admin(&token(2, Reach::Node, Scope::Admin).1).unwrap());
        let error = registry.remove_token(&first.id, &actor(), AT_US).unwrap_err();
        assert!(matches!(error.kind, TokenErrorKind::LastAdmin), "{error:?}");
        // One that expires is none to rely on.
        let expires_us = Some(AT_US + 1);
        registry.put_token(&NewToken { expires_us, ..token(3, Reach::Node, Scope::Admin).1 }).unwrap();
        assert!(registry.remove_token(&first.id, &actor(), AT_US).is_err());
        registry.put_token(&token(2, Reach::Node, Scope::Admin).1).unwrap();
        registry.remove_token(&first.id, &actor(), AT_US).unwrap();
    });
}

#[test]
fn damage_costs_its_token_alone() {
    let ways = [
        "UPDATE tokens SET hash = x'00' WHERE id = 'token001'",
        "UPDATE tokens SET scope = 'everything' WHERE id = 'token001'",
        "UPDATE tokens SET tenant = 'No Tenant' WHERE id = 'token001'",
        "UPDATE tokens SET made_by = '' WHERE id = 'token001'",
    ];
    for way in ways {
        with_registry(|folder, registry| {
            let (damaged, new) = token(1, Reach::Node, Scope::Read);
            registry.put_token(&new).unwrap();
            let (text, new) = token(2, Reach::Node, Scope::Admin);
            registry.put_token(&new).unwrap();
            assert_eq!(sql(folder, way), 1);
            assert!(registry.token(damaged.id()).is_err(), "{way}");
            assert_eq!(registry.tokens(None, None, 9).unwrap().len(), 1, "{way}");
            assert!(registry.token(text.id()).unwrap().unwrap().admits(&text, AT_US).is_ok(), "{way}");
        });
    }
}

#[test]
fn an_error_says_what_to_do() {
    with_registry(|_, registry| {
        registry.put_tenant(&put_tenant("acme", &["a.example"])).unwrap();
        registry.deploy(&Deploy { hosts: vec![host("a.example")], ..deploy("acme", "shop", "1") }).unwrap();
        let many: Vec<String> = (0..=TENANT_HOSTS_MAX).map(|number| format!("h{number}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let stale = PutTenant { expected_generation: Some(ChangeNumber::NONE), ..put_tenant("acme", &[]) };
        let mut lines: Vec<String> =
            [put_tenant("evil", &["a.example"]), put_tenant("acme", &[]), put_tenant("acme", &many), stale]
                .iter()
                .map(|put| chain(&registry.put_tenant(put).unwrap_err()))
                .collect();
        for name in ["acme", "none"] {
            lines.push(chain(&registry.remove_tenant(&tenant(name), &actor(), AT_US).unwrap_err()));
        }
        let (_, first) = token(1, Reach::Node, Scope::Admin);
        registry.put_token(&first).unwrap();
        let unknown = token(9, Reach::Node, Scope::Read).1;
        lines.push(chain(&registry.put_token(&first).unwrap_err()));
        lines.push(chain(&registry.remove_token(&unknown.id, &actor(), AT_US).unwrap_err()));
        lines.push(chain(&registry.remove_token(&first.id, &actor(), AT_US).unwrap_err()));
        insta::assert_snapshot!(lines.join("\n"));
    });
}

#[test]
fn tokens_are_bounded() {
    with_registry(|folder, registry| {
        let acme = Reach::Tenant(tenant("acme"));
        registry.put_token(&token(1, acme.clone(), Scope::Read).1).unwrap();
        let others = format!(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) INSERT INTO tokens
             SELECT 'filler' || printf('%04d', x), hash, name, tenant, scope, expires_us, made_by, at_us FROM n, tokens
             WHERE id = 'token001'",
            REACH_TOKENS_MAX - 1
        );
        sql(folder, &others);
        let error = registry.put_token(&token(2, acme, Scope::Read).1).unwrap_err();
        assert!(matches!(error.kind, TokenErrorKind::TooMany), "{error:?}");
        registry.put_token(&token(2, Reach::Node, Scope::Read).1).unwrap();
    });
}
