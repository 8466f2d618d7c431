//! Lists its preopened folders and tries to reach files beside and above them: `?open=` names one to read.

use wasip2::filesystem::preopens::get_directories;

use crate::call::Call;

/// Ways out of a preopened folder, and places that every machine has.
const ESCAPES: &[&str] = &["/etc/passwd", "../etc/passwd", "/proc/self/environ", "assets/../../secret.txt"];

pub fn run(call: Call) {
    let mut text = String::new();
    for (_, at) in get_directories() {
        text.push_str(&format!("preopen {at}\n"));
    }
    for path in ESCAPES {
        if std::fs::read(path).is_ok() {
            text.push_str(&format!("escaped {path}\n"));
        }
    }
    if let Some(path) = call.argument("open") {
        match std::fs::read_to_string(path) {
            Ok(content) => text.push_str(&format!("read {content}\n")),
            Err(error) => text.push_str(&format!("refused {:?}\n", error.kind())),
        }
    }
    if let Some(path) = call.argument("write") {
        match std::fs::write(path, "written by the guest") {
            Ok(()) => text.push_str("written\n"),
            Err(error) => text.push_str(&format!("write refused {:?}\n", error.kind())),
        }
    }
    call.answer(200, &text);
}
