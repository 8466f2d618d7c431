//! Entries for people, and for programs. What guests and clients wrote moves no cursor.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use cumulet_spec::api::{LogEntry, LogEvent, LogInvocation};
use cumulet_spec::id::{ComponentName, RequestId};
use cumulet_spec::outcome::{Fault, Outcome};
use serde_json::json;

use crate::terminal::Terminal;

const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// Prints entries, each on a line. Fails when the reader has gone away.
pub(super) fn print(entries: &[LogEntry], terminal: Terminal) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for entry in entries {
        if terminal.is_json() {
            escape_json(&json!(entry).to_string(), &mut text);
        } else {
            plain(entry, &mut text);
        }
        text.push('\n');
    }
    // Colours are stripped where this is no terminal.
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

// Writing to a string cannot fail.
fn plain(entry: &LogEntry, out: &mut String) {
    let _ = write!(out, "{DIM}");
    visible(&entry.time, out);
    let _ = write!(out, "{DIM:#} ");
    let component = entry.component.as_ref().map(ComponentName::as_str).unwrap_or_default();
    let request = entry.request_id.as_ref().map(RequestId::as_str).unwrap_or_default();
    match &entry.event {
        LogEvent::Output { stream, text } => {
            let _ = write!(out, "{} {component} {DIM}{request} |{DIM:#} ", stream.label());
            visible(text, out);
        }
        LogEvent::Invocation(ended) => {
            invocation(ended, out);
            let _ = write!(out, " {DIM}component={component} request_id={request}{DIM:#}");
            for line in ended.detail.iter().flat_map(|detail| detail.lines()) {
                out.push_str("\n    ");
                visible(line, out);
            }
        }
        LogEvent::Dropped { pieces } => {
            let _ = write!(
                out,
                "{YELLOW}dropped{YELLOW:#} {pieces} pieces of output and events: more than could be written"
            );
        }
    }
}

fn invocation(ended: &LogInvocation, out: &mut String) {
    let style = match ended.outcome.fault() {
        None => GREEN,
        Some(Fault::Client) => YELLOW,
        Some(Fault::Guest | Fault::Upstream | Fault::Host) => RED,
    };
    // What the guest itself calls a failure is worth a colour too.
    let style = if ended.outcome == Outcome::Ok && ended.status >= 500 { YELLOW } else { style };
    let _ = write!(out, "{style}{}{style:#} {} ", ended.outcome, ended.status);
    visible(&ended.method, out);
    out.push(' ');
    visible(&ended.path, out);
    let (wall, executed, memory) = (ended.wall_us, ended.executed_us, ended.memory_peak_bytes >> 10);
    let _ = write!(out, " wall={} executed={} memory={memory}KiB", millis(wall), millis(executed));
}

fn millis(micros: u64) -> String {
    format!("{}.{:03}ms", micros / 1_000, micros % 1_000)
}

/// Text of which nothing moves the cursor, begins a line, or turns what stands beside it around.
fn visible(text: &str, out: &mut String) {
    for char in text.chars() {
        if is_unruly(char) && char != '\t' {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
}

/// JSON that is the same to programs and keeps a terminal as it is: outside of strings it has no such characters.
fn escape_json(json: &str, out: &mut String) {
    for char in json.chars() {
        if is_unruly(char) {
            let _ = write!(out, "\\u{:04x}", u32::from(char));
        } else {
            out.push(char);
        }
    }
}

/// Control characters, and those that change the direction of text.
fn is_unruly(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printed_moves_the_cursor() {
        let check = |text: &str, expect: &str| {
            let mut out = String::new();
            visible(text, &mut out);
            assert_eq!(out, expect);
        };
        check("a\u{1b}[2Jb\r\n\tc", "a\\u{1b}[2Jb\\r\\n\tc");
        check("\u{9b}31m \u{202e}desrever ünïcode €", "\\u{9b}31m \\u{202e}desrever ünïcode €");
    }

    #[test]
    fn json_is_the_same_to_programs() {
        let text = "\u{1b}[2J \u{9b}31m \u{7f} \u{202e} \" \\ \n €";
        let mut out = String::new();
        escape_json(&serde_json::json!(text).to_string(), &mut out);
        assert!(!out.chars().any(is_unruly), "{out}");
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
