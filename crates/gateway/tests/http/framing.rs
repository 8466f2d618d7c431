//! Requests that are wrong, or nearly: a file each under `tests/data`.
//!
//! Above `---` stands `expect:` with the statuses that come back on the connection before it closes, in order.
//! Below it stands the request: lines end in CRLF, `\r`, `\n`, `\t`, `\0` and `\\` are escapes, `{text*N}` repeats.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cumulet_gateway::GatewayConfig;

use crate::Server;
use crate::wire::{statuses, talk};

/// Small, so that a file can go over it.
const BODY_BYTES_MAX: u64 = 1000;

#[tokio::test]
async fn every_file_gets_its_statuses() {
    let server = Server::start(GatewayConfig {
        body_bytes_max: BODY_BYTES_MAX,
        // Ends the files that stop in the middle of a head.
        header_read_timeout: Duration::from_secs(1),
        ..GatewayConfig::default()
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut running = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let (head, request) = text.split_once("---\n").unwrap_or_else(|| panic!("{path:?} has no ---"));
        let expected = head.lines().find_map(|line| line.strip_prefix("expect:")).unwrap();
        let expected: Vec<u16> = expected.split_whitespace().map(|status| status.parse().unwrap()).collect();
        let bytes = request_bytes(request);
        let address = server.address;
        let name = path.display().to_string();
        running.push((
            name,
            tokio::spawn(async move {
                let answer = talk(address, &bytes).await;
                let got = statuses(&answer);
                (got != expected).then(|| format!("{}: expected {expected:?}, got {got:?}\n{answer}\n", path.display()))
            }),
        ));
    }
    assert!(running.len() > 20, "the files are not where they were");
    let mut wrong = Vec::new();
    for (name, run) in running {
        wrong.extend(run.await.unwrap_or_else(|error| Some(format!("{name}: {error}"))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn request_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\n' => bytes.extend_from_slice(b"\r\n"),
            '\\' => bytes.push(match characters.next().unwrap() {
                'r' => b'\r',
                'n' => b'\n',
                't' => b'\t',
                '0' => 0,
                '\\' => b'\\',
                other => panic!("unknown escape \\{other}"),
            }),
            '{' => {
                let inside: String = characters.by_ref().take_while(|character| *character != '}').collect();
                let (what, times) = inside.rsplit_once('*').unwrap();
                bytes.extend_from_slice(&request_bytes(what).repeat(times.parse().unwrap()));
            }
            other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}
