//! `cumulet logs` over logs that a node might have written. Their form is written out here once more, from its description:
//! what this writes must be read for as long as the format is 1.

use std::fmt::Write as _;
use std::path::Path;

use crate::serve::Up;
use crate::session::{command, run, show};

/// 2026-11-21 at noon, in microseconds since the Unix epoch.
const NOON_US: u64 = 1_795_262_400_000_000;

fn short(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat()
}

/// The part that every entry begins with; no request is a remark of the log.
fn head(kind: u8, second: u64, request: &str) -> Vec<u8> {
    let names = if request.is_empty() { ["", "", ""] } else { [request, "front", "0123456789ab"] };
    let time = (NOON_US + second * 1_000_000).to_le_bytes();
    [vec![kind], time.to_vec(), names.map(short).concat()].concat()
}

fn output(second: u64, request: &str, channel: u8, text: &[u8]) -> Vec<u8> {
    [head(1, second, request), vec![channel], long(text)].concat()
}

fn invocation(second: u64, request: &str, (outcome, status): (&str, u16), path: &str, detail: &str) -> Vec<u8> {
    let started = (NOON_US + second * 1_000_000 - 1_042).to_le_bytes();
    let quantities = [1_042_u64, 61, 65_536, 10, 1_500].map(u64::to_le_bytes).concat();
    let status = status.to_le_bytes();
    [
        &head(2, second, request)[..],
        &started,
        &status,
        &short(outcome),
        &short("GET"),
        &long(path.as_bytes()),
        &quantities,
        &long(detail.as_bytes()),
    ]
    .concat()
}

fn dropped(second: u64, pieces: u64) -> Vec<u8> {
    [head(3, second, ""), pieces.to_le_bytes().to_vec()].concat()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let check = crc32fast::hash(&[&length, payload].concat()).to_le_bytes();
    [&length[..], &check, payload, &length].concat()
}

fn segment(number: u64, entries: &[Vec<u8>]) -> Vec<u8> {
    let (magic, format) = (b"CMLTLOGS", 1_u32.to_le_bytes());
    let body = [number, NOON_US].map(u64::to_le_bytes).concat();
    let check = crc32fast::hash(&[&magic[..], &format, &body].concat()).to_le_bytes();
    let frames: Vec<u8> = entries.iter().flat_map(|entry| frame(entry)).collect();
    [&magic[..], &format, &check, &body, &frames].concat()
}

fn write(data: &Path) {
    let log = |app: &str, number: u64, bytes: Vec<u8>| {
        let folder = data.join("logs").join(app);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{number:08}.log")), bytes).unwrap();
    };
    let early = [
        output(0, "req-1", 1, b"adding to the cart"),
        invocation(0, "req-1", ("ok", 200), "/cart", ""),
        output(60, "req-2", 2, b"\x1b[2J\x1b[31mred \xff\xe2\x82\xac\ttab \xc2\x9b1m"),
        invocation(60, "req-2", ("trap", 500), "/pay\u{1b}", "wasm trap: unreachable\nat pay"),
    ];
    // The entry that is damaged stands at the end of what can be read of its segment.
    let mut damaged = segment(1, &[&early[..], &[output(70, "req-3", 1, b"lost")]].concat());
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    log("shop.acme", 1, damaged);
    let late = [
        dropped(120, 1_234),
        invocation(121, "req-4", ("ok", 503), "/", ""),
        // Of a kind that a later release may have.
        head(77, 122, "req-5"),
        invocation(123, "req-6", ("quota", 429), "/", ""),
    ];
    let mut cut = segment(2, &late);
    cut.extend_from_slice(&frame(&output(124, "req-7", 1, b"cut off"))[..30]);
    log("shop.acme", 2, cut);
    for tenant in ["acme", "globex"] {
        log(&format!("blog.{tenant}"), 1, segment(1, &[output(0, "req-1", 1, b"a post")]));
    }
    log("hello", 1, segment(1, &[output(0, "req-1", 1, b"hello")]));
}

#[test]
fn shows_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join(".cumulet"));
    let mut seen = String::new();
    for arguments in [
        "logs shop",
        "logs shop --json",
        "logs shop --quiet --limit 2",
        "logs shop --quiet --since 2026-11-21T12:02:00Z",
        "logs shop --quiet --outcome trap",
        "logs shop --quiet --request req-2",
        "logs shop --quiet --component back",
        "logs hello",
        "logs shpo",
        "logs shop --tenant globex --json",
        "logs blog",
        "logs blog --tenant globex",
        "logs image-resize",
    ] {
        writeln!(seen, "$ cumulet {arguments}").unwrap();
        seen.push_str(&show(&run(folder.path(), arguments.split_whitespace()), folder.path()));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn a_node_shows_what_its_folder_holds() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("data"));
    let node = Up::start_node(folder.path());
    let say =
        |arguments: &str, more: &[&str]| run(folder.path(), arguments.split_whitespace().chain(more.iter().copied()));
    let own = ["--node", &node.admin, "--data-dir", "data"];
    for tenant in ["acme", "globex"] {
        assert!(say(&format!("tenant put {tenant}"), &own).status.success());
    }
    for arguments in [
        "logs shop --tenant acme",
        "logs shop --tenant acme --json",
        "logs shop --tenant acme --limit 2",
        "logs shop --tenant acme --limit 5000",
        "logs shop --tenant acme --since 2026-11-21T12:02:00Z",
        "logs shop --tenant acme --outcome trap",
        "logs shop --tenant acme --request req-2 --json",
        "logs shop --tenant acme --component back",
        "logs hello",
    ] {
        let (there, here) = (say(arguments, &own), say(arguments, &["--data-dir", "data"]));
        let shown = |output: &std::process::Output| String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(shown(&there), shown(&here), "{arguments}");
        assert_eq!(there.status.code(), Some(0), "{arguments}");
    }
    let mut seen = String::new();
    for arguments in [
        "logs shop --tenant acme --limit 1",
        "logs shpo --tenant acme",
        "logs shop --tenant initech",
        "logs image-resize",
        "logs shop --tenant acme --node 127.0.0.1:1",
        "usage --tenant acme",
        "usage shop",
        "usage --tenant initech",
    ] {
        writeln!(seen, "$ cumulet {arguments}").unwrap();
        let flags = if arguments.contains("--node") { &own[2..] } else { &own[..] };
        seen.push_str(&show(&say(arguments, flags), folder.path()));
    }
    insta::assert_snapshot!(seen);
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn without_a_token_the_folder_of_the_node_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("state/cumulet"));
    let output = command(folder.path())
        .args(["logs", "hello"])
        .env("XDG_STATE_HOME", folder.path().join("state"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("| hello\n"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
