//! A program that answers by CGI; the last segment of the path says how it behaves. It knows nothing of WebAssembly.

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::exit;
use std::time::Duration;

const HEADER: &str = "Content-Type: text/plain\n\n";

fn main() {
    let path = variable("PATH_INFO");
    match path.rsplit('/').next().unwrap_or_default() {
        "environment" => environment(),
        "arguments" => arguments(),
        "echo" => echo(),
        "lines" => lines(),
        "unread" => say(&format!("{HEADER}not read\n")),
        "before" => before(),
        "form" => form(),
        "print" => print!("{}", unescaped(&variable("QUERY_STRING"))),
        "log" => {
            eprintln!("to the operator");
            say(&format!("{HEADER}to the client\n"));
        }
        "flood" => flood(variable("QUERY_STRING").parse().unwrap_or(0)),
        "forever" => flood(u64::MAX),
        "endless" => endless(),
        "many" => (0..200).for_each(|n| println!("X-{n}: 1")),
        "fail" => exit(3),
        "half" => {
            say(&format!("{HEADER}half of"));
            exit(3);
        }
        "late-panic" => {
            say(&format!("{HEADER}half of"));
            panic!("as asked");
        }
        "panic" => panic!("as asked"),
        "spin" => endless::spin(),
        "sleep" => std::thread::sleep(Duration::from_secs(600)),
        "allocate" => endless::allocate(),
        "exit" => {
            say(&format!("{HEADER}whole\n"));
            exit(0);
        }
        other => say(&format!("Status: 404 Not Found\nContent-Type: text/plain\n\nno behaviour {other}\n")),
    }
}

fn variable(name: &str) -> String {
    std::env::var_os(name).and_then(|value| value.into_string().ok()).unwrap_or_default()
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).unwrap();
    out.flush().unwrap();
}

fn environment() {
    let mut lines: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect();
    lines.sort();
    say(&format!("{HEADER}{}", lines.concat()));
}

fn arguments() {
    say(&format!("{HEADER}{:?}\n", std::env::args().collect::<Vec<_>>()));
}

/// Sends the body back while it comes.
fn echo() {
    say(&format!("Content-Type: {}\n\n", variable("CONTENT_TYPE")));
    let (mut input, mut output, mut buffer) = (std::io::stdin().lock(), std::io::stdout(), [0; 4_096]);
    loop {
        let length = input.read(&mut buffer).unwrap();
        if length == 0 {
            return;
        }
        output.write_all(&buffer[..length]).unwrap();
        output.flush().unwrap();
    }
}

/// Answers each line as soon as it is there.
fn lines() {
    say(&format!("{HEADER}ready\n"));
    for line in std::io::stdin().lock().lines() {
        say(&format!("got {}\n", line.unwrap()));
    }
}

/// Answers, then reads.
fn before() {
    say(&format!("{HEADER}answered\n"));
    let mut input = Vec::new();
    let read = std::io::stdin().read_to_end(&mut input);
    say(&format!("then read {:?}\n", read.map_err(|error| error.kind())));
}

/// As old programs do it: reads as many bytes as were announced.
fn form() {
    let mut input = vec![0; variable("CONTENT_LENGTH").parse().unwrap_or(0)];
    std::io::stdin().read_exact(&mut input).unwrap();
    say(&format!("{HEADER}{}\n", String::from_utf8_lossy(&input)));
}

/// `\n` and `\r` as in a source text; `+` is a space.
fn unescaped(text: &str) -> String {
    text.replace('+', " ").replace("%5Cn", "\n").replace("\\n", "\n").replace("%5Cr", "\r").replace("\\r", "\r")
}

fn flood(bytes: u64) {
    say(HEADER);
    let (mut output, block, mut left) = (std::io::stdout(), [b'x'; 4_096], bytes);
    while left > 0 {
        let part = left.min(4_096);
        output.write_all(&block[..part as usize]).unwrap();
        left -= part;
    }
}

fn endless() {
    loop {
        println!("X-More: {}", "x".repeat(1_000));
    }
}
