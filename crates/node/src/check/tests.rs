use std::fmt::Write as _;

use cumulet_spec::manifest::Manifest;

use super::*;

/// The check of a component with these imports, under a manifest with these lines in its grants.
fn report(grants: &str, kind: Kind, imports: &[&str]) -> String {
    report_of(&format!("[component.c.grant]\n{grants}\n"), Role::Http, kind, imports)
}

/// The same under a manifest with these lines about the component.
fn report_of(lines: &str, role: Role, kind: Kind, imports: &[&str]) -> String {
    let text = format!(
        "manifest = 1\n[app]\nname = \"a\"\n[component.c]\nsource = \"c.wasm\"\n{lines}\
         [[trigger.http]]\nroute = \"/*\"\ncomponent = \"c\"\n"
    );
    let manifest = Manifest::parse(&text).unwrap();
    let component = manifest.components.values().next().unwrap();
    let imports = imports.iter().map(ToString::to_string).collect();
    let checked = check(component, role, &Inspection { kind, imports, exports: Vec::new() }, &BTreeSet::new());
    let mut text = String::new();
    for import in &checked.imports {
        let entries = match &import.access {
            Access::Granted(entries) => format!(" {}", entries.join(" ")),
            _ => String::new(),
        };
        writeln!(text, "{} {}{entries}", import.name, import.access.label()).unwrap();
    }
    for finding in &checked.findings {
        writeln!(text, "{}: {}", finding.severity.label(), finding.message).unwrap();
        if let Some(help) = &finding.help {
            writeln!(text, "  {help}").unwrap();
        }
    }
    text
}

#[test]
fn what_is_always_linked() {
    insta::assert_snapshot!(report(
        "",
        Kind::HttpP2,
        &["wasi:io/streams@0.2.0", "wasi:io/streams@0.2.12", "wasi:clocks/wall-clock@0.2.3", "wasi:http/types@0.3.0"],
    ), @r"
    wasi:io/streams@0.2.0 always
    wasi:io/streams@0.2.12 always
    wasi:clocks/wall-clock@0.2.3 always
    wasi:http/types@0.3.0 always
    ");
}

#[test]
fn without_a_grant_it_is_linked_and_refuses() {
    insta::assert_snapshot!(report(
        "",
        Kind::HttpP2,
        &[
            "wasi:cli/environment@0.2.6",
            "wasi:filesystem/preopens@0.2.6",
            "wasi:filesystem/types@0.2.6",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:sockets/tcp@0.2.6",
            "wasi:config/store@0.2.0-rc.1",
        ],
    ));
}

#[test]
fn with_a_grant_each_says_what_it_leads_to() {
    insta::assert_snapshot!(report(
        "http = [\"https://api.example.com\"]\nenv = { LOG = \"info\" }\nfile = [{ from = \"assets\", at = \"/assets\" }]\n\
         network = [\"tcp:db.internal:5432\"]\nconfig = { greeting = \"hello\" }\nsecret = [\"KEY\"]",
        Kind::HttpP3,
        &[
            "wasi:cli/environment@0.3.0",
            "wasi:config/store@0.2.0-rc.1",
            "wasi:filesystem/preopens@0.3.0",
            "wasi:http/client@0.3.0",
            "wasi:sockets/types@0.3.0",
        ],
    ));
}

#[test]
fn a_grant_that_nothing_uses_is_a_warning() {
    insta::assert_snapshot!(report(
        "http = [\"https://api.example.com\"]\nsecret = [\"KEY\"]",
        Kind::HttpP2,
        &["wasi:http/types@0.2.0"]
    ));
}

#[test]
fn what_is_not_offered_is_an_error() {
    insta::assert_snapshot!(report(
        "blobstore = [\"images\"]",
        Kind::HttpP2,
        &[
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:blobstore/blobstore@0.2.0-draft2",
            "acme:auth/verify",
            "wasi:http/types@0.3.0-rc-2025-09-16",
            "wasi:http/types@0.20.0",
            "wasi:nn/graph@0.2.0",
        ],
    ));
}

#[test]
fn what_cannot_be_routed_to_is_an_error() {
    for (kind, name) in [(Kind::Module, "module"), (Kind::Library, "library")] {
        insta::assert_snapshot!(format!("unroutable_{name}"), report("", kind, &[]));
    }
}

#[test]
fn a_program_answers_by_cgi() {
    let imports = ["wasi:cli/environment@0.2.6", "wasi:filesystem/preopens@0.2.6", "wasi:cli/stdin@0.2.6"];
    for kind in [Kind::CommandP1, Kind::CommandP2, Kind::CommandP3] {
        insta::assert_snapshot!("program", report("", kind, &imports));
        let lines =
            "[component.c.grant]\nenv = { LOG = \"info\", PATH_INFO = \"/\" }\n[component.c.reuse]\nrequests = 2\n";
        insta::assert_snapshot!("program_without_effect", report_of(lines, Role::Http, kind, &imports));
        // Run by hand it has the environment that was granted, and no other.
        insta::assert_snapshot!("program_untriggered", report_of("", Role::Untriggered, kind, &imports));
    }
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let check = |lines, role, kind| report_of(lines, role, kind, &[]);
    let (limit, reuse) = ("[component.c.limit]\nmemory = \"1GiB\"\n", "[component.c.reuse]\nrequests = 2\n");
    for lines in [limit, reuse] {
        insta::assert_snapshot!("limits_of_a_library", check(lines, Role::Untriggered, Kind::Library));
        // It has instances of its own, whoever calls it.
        assert_eq!(check(lines, Role::Untriggered, Kind::HttpP2), "");
        assert_eq!(check(lines, Role::Http, Kind::HttpP3), "");
    }
    assert_eq!(check("", Role::Untriggered, Kind::Library), "");
    let several = "[component.c.reuse]\nrequests = 8\nconcurrent = 4\n";
    insta::assert_snapshot!("reuse_by_several", check(several, Role::Http, Kind::HttpP2));
    assert_eq!(check(several, Role::Http, Kind::HttpP3), "");
}
