use std::collections::BTreeSet;

use cumulet_spec::manifest::Manifest;

use super::*;
use crate::check::{self, Role};

/// What is said about a component that imports `imports`, with these lines in its table of grants.
#[track_caller]
fn check(imports: &[&str], grants: &str, expect: &[&str]) {
    check_table(imports, &format!("[component.front.grant]\n{grants}"), expect);
}

/// The same with these tables.
#[track_caller]
fn check_table(imports: &[&str], tables: &str, expect: &[&str]) {
    let text = format!(
        "manifest = 1\n[app]\nname = \"shop\"\n[component.front]\nsource = \"front.wasm\"\n{tables}\n\
         [component.zero]\nsource = \"zero.wasm\"\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n"
    );
    let manifest = Manifest::parse(&text).unwrap();
    let component = manifest.components.values().next().unwrap();
    let inspection = Inspection {
        kind: Kind::HttpP2,
        imports: imports.iter().map(|name| (*name).to_owned()).collect(),
        exports: vec!["wasi:http/incoming-handler@0.2.12".to_owned()],
    };
    let checked = check::check(component, Role::Http, &inspection, &BTreeSet::new());
    let said: Vec<String> = unfit(component, &inspection, &checked).into_iter().map(|reason| reason.message).collect();
    assert_eq!(said, expect);
}

#[test]
fn what_was_not_granted_is_refused_as_on_a_node() {
    let imports = [
        "wasi:cli/environment@0.2.6",
        "wasi:filesystem/preopens@0.2.6",
        "wasi:http/outgoing-handler@0.2.12",
        "wasi:http/types@0.2.12",
        "wasi:sockets/tcp@0.2.0",
    ];
    check(&imports, "", &[]);
    check(&imports, "env = { LOG = \"info\" }", &[]);
    check(&["wasi:config/store@0.2.0-rc.1"], "config = { greeting = \"hello\" }", &[]);
}

#[test]
fn what_was_granted_and_a_page_cannot_give_is_a_reason() {
    let http = "it imports `wasi:http/outgoing-handler@0.2.12` and was granted `http`, which a page cannot give";
    check(&["wasi:http/outgoing-handler@0.2.12"], "http = [\"https://api.example.com\"]", &[http]);
    let file = "it imports `wasi:filesystem/preopens@0.2.6` and was granted `file`, which a page cannot give";
    let files = ["wasi:filesystem/preopens@0.2.6", "wasi:filesystem/types@0.2.6"];
    check(&files, "file = [{ from = \"assets\", at = \"/assets\" }]", &[file]);
    let secret = "it imports `wasi:config/store@0.2.0-rc.1` and was granted `secret`, which a page cannot give";
    check(&["wasi:config/store@0.2.0-rc.1"], "config = { a = \"b\" }\nsecret = [\"KEY\"]", &[secret]);
    let store = "it imports `wasi:keyvalue/store@0.2.0-draft2` and was granted `keyvalue`, which a page cannot give";
    check(&["wasi:keyvalue/store@0.2.0-draft2"], "keyvalue = [\"default\"]", &[store]);
}

#[test]
fn what_nothing_stands_behind_is_a_reason() {
    let store = "it imports `wasi:keyvalue/store@0.2.0-draft2`, and a page has no stores";
    check(&["wasi:keyvalue/store@0.2.0-draft2"], "", &[store]);
    let newer = "it imports `wasi:clocks/system-clock@0.3.0`, which a page does not offer";
    check(&["wasi:clocks/system-clock@0.3.0"], "", &[newer]);
    let linked = "its import `acme:auth/verify` is linked to `zero`, and compositions are not offered for browsers yet";
    check_table(&["acme:auth/verify"], "link = { \"acme:auth/verify\" = \"zero\" }", &[linked]);
}

#[test]
fn a_component_of_another_kind_gets_one_reason() {
    let manifest = Manifest::single(Path::new("app.wasm"));
    let component = manifest.components.values().next().unwrap();
    for (kind, expect) in [
        (Kind::HttpP3, "it is an HTTP component (WASI 0.3), which is not offered for browsers yet"),
        (Kind::CommandP2, "it is a command component (WASI 0.2), and a page gives it requests"),
        (Kind::Module, "it is a core module, and a page gives it requests"),
    ] {
        let inspection = Inspection { kind, imports: Vec::new(), exports: Vec::new() };
        let checked = Checked { imports: Vec::new(), findings: Vec::new() };
        let said = unfit(component, &inspection, &checked);
        assert_eq!(said.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>(), [expect]);
    }
}
