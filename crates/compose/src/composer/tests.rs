use super::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Exports `acme:auth/verify` in a version, with a function of a type.
fn auth(interface: &str, check: &str) -> String {
    format!(
        r#"(component
            {STORE}
            (core module $m (func (export "check") (param i32) (result i32) local.get 0))
            (core instance $i (instantiate $m))
            (func $check {check} (canon lift (core func $i "check")))
            (instance $e (export "check" (func $check)))
            (export "{interface}" (instance $e)))"#
    )
}

/// Imports it, and exports a command.
fn front(interface: &str, check: &str) -> String {
    format!(
        r#"(component
            {STORE}
            (import "{interface}" (instance $auth (export "check" (func {check}))))
            (core func $check (canon lower (func $auth "check")))
            (core module $m
                (import "auth" "check" (func (param i32) (result i32)))
                (func (export "run") (result i32) i32.const 0))
            (core instance $i (instantiate $m (with "auth" (instance (export "check" (func $check))))))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $e (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $e)))"#
    )
}

const STORE: &str = r#"(import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
    (export "bucket" (type (sub resource)))))
    (import "wasi:io/poll@0.2.6" (instance (export "pollable" (type (sub resource)))))"#;

const CHECK: &str = r#"(param "id" u32) (result bool)"#;

/// A member: its name, its text, its links.
type Written<'a> = (&'a str, String, &'a [(&'a str, &'a str)]);

/// Composes members written as `(name, text, links)`.
fn composed(members: &[Written<'_>]) -> Result<Vec<u8>, ComposeError> {
    let parse = |name: &str| ComponentName::parse(name).unwrap();
    let read: Vec<(ComponentName, &str, BTreeMap<String, ComponentName>)> = members
        .iter()
        .map(|(name, text, links)| {
            let links = links.iter().map(|(import, to)| ((*import).to_owned(), parse(to))).collect();
            (parse(name), text.as_str(), links)
        })
        .collect();
    let members: Vec<Member<'_>> =
        read.iter().map(|(name, text, link)| Member { name, bytes: text.as_bytes(), link }).collect();
    compose(&members)
}

/// What is said about them: a line for each problem, and one for its help.
fn told(members: &[Written<'_>]) -> String {
    let mut text = String::new();
    for problem in composed(members).unwrap_err().problems {
        let link = problem.link.clone().map(|link| format!(" \"{link}\"")).unwrap_or_default();
        writeln!(text, "{}{link}: {problem}\n  {}", problem.component, problem.kind.help()).unwrap();
    }
    text
}

/// Imports and exports of the outermost component.
fn outline(component: &[u8]) -> String {
    let text = wasmprinter::print_bytes(component).unwrap();
    let is_outer = |line: &&str| line.starts_with("  (import ") || line.starts_with("  (export ");
    let name = |line: &str| line.split('"').take(2).collect::<Vec<_>>().join("").trim().to_owned();
    text.lines().filter(is_outer).map(name).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_member_imports_under_names_of_its_own() {
    let members = [
        ("front", front("acme:auth/verify", CHECK), &[("acme:auth/verify", "auth")][..]),
        ("auth", auth("acme:auth/verify", CHECK), &[][..]),
    ];
    let component = composed(&members).unwrap();
    insta::assert_snapshot!(outline(&component));
    assert_eq!(composed(&members).unwrap(), component);
}

#[test]
fn patch_versions_go_together() {
    let component = composed(&[
        ("front", front("acme:auth/verify@0.2.3", CHECK), &[("acme:auth/verify", "auth")]),
        ("auth", auth("acme:auth/verify@0.2.12", CHECK), &[]),
    ]);
    insta::assert_snapshot!(outline(&component.unwrap()));
}

#[test]
fn one_component_behind_two_links_is_one_instance() {
    let middle = front("acme:auth/verify", CHECK).replace("wasi:cli/run@0.2.0", "acme:middle/run");
    let entry = r#"(component
        (import "acme:auth/verify" (instance (export "check" (func (param "id" u32) (result bool)))))
        (import "acme:middle/run" (instance $middle (export "run" (func (result (result))))))
        (instance $e (export "run" (func $middle "run")))
        (export "wasi:cli/run@0.2.0" (instance $e)))"#;
    let component = composed(&[
        ("entry", entry.to_owned(), &[("acme:auth/verify", "auth"), ("acme:middle/run", "middle")]),
        ("auth", auth("acme:auth/verify", CHECK), &[]),
        ("middle", middle, &[("acme:auth/verify", "auth")]),
    ]);
    let text = wasmprinter::print_bytes(component.unwrap()).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("  (instance ") && line.contains("instantiate")).count(), 3);
}

#[test]
fn what_does_not_fit_is_told_from_both_sides() {
    let links: &[(&str, &str)] = &[("acme:auth/verify", "auth")];
    let none: &[(&str, &str)] = &[];
    let pair = |wanted: String, found: String| told(&[("front", wanted, links), ("auth", found, none)]);
    let mut text = String::new();
    let mut case = |title: &str, told: String| writeln!(text, "{title}\n{told}").unwrap();
    let wanted = || front("acme:auth/verify", CHECK);
    case("another parameter", pair(wanted(), auth("acme:auth/verify", r#"(param "id" s32) (result bool)"#)));
    case("another name", pair(wanted(), auth("acme:auth/verify", r#"(param "user" u32) (result bool)"#)));
    case("another result", pair(wanted(), auth("acme:auth/verify", r#"(param "id" u32) (result (result))"#)));
    case(
        "no function",
        pair(wanted(), auth("acme:auth/verify", CHECK).replace("(export \"check\" (func $check))", "")),
    );
    case("no export", pair(wanted(), auth("acme:auth/sessions", CHECK)));
    case("two versions", pair(front("acme:auth/verify@0.2.0", CHECK), auth("acme:auth/verify@0.3.0", CHECK)));
    case("a typo", told(&[("front", wanted(), &[("acme:auth/verfy", "auth")]), ("auth", auth("a:b/c", CHECK), none)]));
    case("no import", told(&[("front", wanted(), &[("acme:x/y", "auth")]), ("auth", auth("a:b/c", CHECK), none)]));
    case("a module", pair(wanted(), "(module)".to_owned()));
    case("not valid", pair(wanted(), "(component (export \"a\" (func 0)))".to_owned()));
    insta::assert_snapshot!(text);
}

#[test]
fn names_that_a_member_made_up_are_refused() {
    let crafted = front("acme:auth/verify", CHECK).replace("wasi:keyvalue/store@", "member1:wasi-keyvalue/store@");
    insta::assert_snapshot!(told(&[
        ("front", crafted, &[("acme:auth/verify", "auth")]),
        ("auth", auth("acme:auth/verify", CHECK), &[]),
    ]));
}

#[test]
fn handles_of_what_was_granted_stay_with_their_component() {
    let handle = |inner: &str| {
        format!(
            r#"(component
            (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store (export "bucket" (type (sub resource)))))
            (alias export $store "bucket" (type $bucket))
            {inner})"#
        )
    };
    let interface = r#"(instance $api
        (alias outer 1 $bucket (type $outer))
        (export "bucket" (type $own (eq $outer)))
        (export "open" (func (result (own $own)))))"#;
    let wanted = handle(&format!("(import \"acme:files/open\" {interface})"));
    let found =
        handle(&format!("(import \"acme:other/open\" {interface}) (export \"acme:files/open\" (instance $api))"));
    insta::assert_snapshot!(told(&[("front", wanted, &[("acme:files/open", "files")]), ("files", found, &[])]));
}

#[test]
fn handles_that_all_share_pass() {
    let shared = |inner: &str| {
        format!(
            r#"(component
            (import "wasi:io/streams@0.2.6" (instance $io (export "input-stream" (type (sub resource)))))
            (alias export $io "input-stream" (type $stream))
            {inner})"#
        )
    };
    let interface = r#"(instance $api
        (alias outer 1 $stream (type $outer))
        (export "input-stream" (type $own (eq $outer)))
        (export "read" (func (param "from" (own $own)))))"#;
    let wanted = shared(&format!("(import \"acme:files/read\" {interface})"));
    let found =
        shared(&format!("(import \"acme:other/read\" {interface}) (export \"acme:files/read\" (instance $api))"));
    let component = composed(&[("front", wanted, &[("acme:files/read", "files")]), ("files", found, &[])]);
    insta::assert_snapshot!(outline(&component.unwrap()));
}

#[test]
fn there_is_a_most() {
    let member = |place: usize| (format!("m{place}"), auth("acme:auth/verify", CHECK));
    let many: Vec<(String, String)> = (0..=MEMBERS_MAX).map(member).collect();
    let many: Vec<Written<'_>> = many.iter().map(|(name, text)| (name.as_str(), text.clone(), &[][..])).collect();
    insta::assert_snapshot!(told(&many));
}
