//! Events as lines.

use super::{EventFormat, Invoked, Place, Printed};
use crate::clock::Calendar;
use cumulet_spec::id::{AppId, TenantId};
use cumulet_spec::outcome::Outcome;
use std::io::Write as _;

/// Bytes of one line of guest output that are shown.
const PRINTED_LINE_BYTES_MAX: usize = 16 << 10;

/// Turns events into lines of one format.
#[derive(Debug)]
pub(crate) struct Lines {
    format: EventFormat,
    calendar: Calendar,
}

impl Lines {
    pub(crate) fn new(format: EventFormat, calendar: Calendar) -> Self {
        Self { format, calendar }
    }

    /// Whether what guests print is written at all.
    pub(crate) fn shows_output(&self) -> bool {
        self.format != EventFormat::Failures
    }

    /// Adds the line of an invocation that ended.
    pub(crate) fn invoked(&self, invoked: &Invoked, out: &mut Vec<u8>) {
        match self.format {
            EventFormat::Json => self.invoked_json(invoked, out),
            EventFormat::Failures if invoked.outcome == Outcome::Ok => {}
            EventFormat::Plain | EventFormat::Failures => invoked_plain(invoked, out),
        }
    }

    /// Adds whole lines that a guest printed.
    pub(crate) fn printed(&self, printed: &Printed, out: &mut Vec<u8>) {
        if self.shows_output() {
            printed_lines(printed, self.format, out);
        }
    }

    fn invoked_json(&self, invoked: &Invoked, out: &mut Vec<u8>) {
        let usage = &invoked.usage;
        out.extend_from_slice(b"{\"event\":\"invocation\",\"request_id\":\"");
        out.extend_from_slice(invoked.id.as_bytes());
        out.extend_from_slice(b"\",\"started_us\":");
        number(out, self.calendar.micros(invoked.started));
        app_json(out, &invoked.target.id);
        out.extend_from_slice(b"\",\"component\":\"");
        out.extend_from_slice(invoked.target.component.as_str().as_bytes());
        out.extend_from_slice(b"\",\"method\":");
        string(out, invoked.method.as_str());
        out.extend_from_slice(b",\"path\":");
        string(out, invoked.path.as_ref().map_or("*", http::uri::PathAndQuery::path));
        out.extend_from_slice(b",\"status\":");
        number(out, u64::from(invoked.status));
        out.extend_from_slice(b",\"outcome\":\"");
        out.extend_from_slice(invoked.outcome.label().as_bytes());
        out.push(b'"');
        let quantities: [(&[u8], u64); 5] = [
            (b",\"wall_us\":", usage.wall_us),
            (b",\"executed_us\":", usage.executed_us),
            (b",\"memory_peak_bytes\":", usage.memory_peak_bytes),
            (b",\"bytes_in\":", usage.bytes_in),
            (b",\"bytes_out\":", usage.bytes_out),
        ];
        for (name, quantity) in quantities {
            out.extend_from_slice(name);
            number(out, quantity);
        }
        if usage.shared {
            out.extend_from_slice(b",\"shared\":true");
        }
        if let Some(detail) = &invoked.detail {
            out.extend_from_slice(b",\"detail\":");
            string(out, detail);
        }
        out.extend_from_slice(b"}\n");
    }
}

fn invoked_plain(invoked: &Invoked, out: &mut Vec<u8>) {
    let usage = &invoked.usage;
    out.extend_from_slice(invoked.outcome.label().as_bytes());
    out.push(b' ');
    number(out, u64::from(invoked.status));
    out.push(b' ');
    out.extend_from_slice(invoked.method.as_str().as_bytes());
    out.push(b' ');
    visible(out, invoked.path.as_ref().map_or("*", http::uri::PathAndQuery::path));
    let id = &invoked.target.id;
    if id.tenant != TenantId::local() {
        out.extend_from_slice(b" tenant=");
        out.extend_from_slice(id.tenant.as_str().as_bytes());
    }
    out.extend_from_slice(b" app=");
    out.extend_from_slice(id.app.as_str().as_bytes());
    out.extend_from_slice(b" component=");
    out.extend_from_slice(invoked.target.component.as_str().as_bytes());
    out.extend_from_slice(b" wall=");
    millis(out, usage.wall_us);
    out.extend_from_slice(b" executed=");
    millis(out, usage.executed_us);
    out.extend_from_slice(b" memory=");
    number(out, usage.memory_peak_bytes >> 10);
    out.extend_from_slice(b"KiB request_id=");
    out.extend_from_slice(invoked.id.as_bytes());
    if let Some(detail) = &invoked.detail {
        for line in detail.lines() {
            out.extend_from_slice(b"\n    ");
            visible(out, line);
        }
    }
    out.push(b'\n');
}

fn printed_lines(printed: &Printed, format: EventFormat, out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(&printed.bytes);
    for line in text.lines() {
        let line = cut(line);
        let Place { app, component, .. } = &*printed.place;
        match format {
            EventFormat::Json => {
                out.extend_from_slice(b"{\"event\":\"output\",\"request_id\":\"");
                out.extend_from_slice(printed.id.as_bytes());
                out.push(b'"');
                app_json(out, app);
                out.extend_from_slice(b"\",\"component\":\"");
                out.extend_from_slice(component.as_str().as_bytes());
                out.extend_from_slice(b"\",\"stream\":\"");
                out.extend_from_slice(printed.channel.label().as_bytes());
                out.extend_from_slice(b"\",\"text\":");
                string(out, line);
                out.extend_from_slice(b"}\n");
            }
            EventFormat::Plain | EventFormat::Failures => {
                out.extend_from_slice(printed.channel.label().as_bytes());
                out.push(b' ');
                out.extend_from_slice(component.as_str().as_bytes());
                out.push(b' ');
                out.extend_from_slice(printed.id.as_bytes());
                out.extend_from_slice(b" | ");
                visible(out, line);
                out.push(b'\n');
            }
        }
    }
}

fn cut(line: &str) -> &str {
    let mut end = line.len().min(PRINTED_LINE_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or(line)
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The fields that say whose app it is, without the last quote. Where no tenants were set up there is none to tell.
fn app_json(out: &mut Vec<u8>, id: &AppId) {
    if id.tenant != TenantId::local() {
        out.extend_from_slice(b",\"tenant\":\"");
        out.extend_from_slice(id.tenant.as_str().as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b",\"app\":\"");
    out.extend_from_slice(id.app.as_str().as_bytes());
}

/// Milliseconds with three decimals.
fn millis(out: &mut Vec<u8>, micros: u64) {
    // Writing to a vector does not fail.
    let _written = write!(out, "{}.{:03}ms", micros / 1_000, micros % 1_000);
}

/// A JSON string.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..0x20 | 0x7f => {
                let _written = write!(out, "\\u{byte:04x}");
            }
            other => out.push(other),
        }
    }
    out.push(b'"');
}

/// Text with its control characters escaped: a guest must not move the operator's cursor or start a line of its own.
fn visible(out: &mut Vec<u8>, text: &str) {
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            let _written = write!(out, "{}", character.escape_default());
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_strings_come_back() {
        for text in ["plain", "quote \" and \\", "line\nbreak", "\u{1b}[31m", "ünïcode €", "\u{7f}\0"] {
            let json = written(|out| string(out, text));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn nothing_printed_moves_the_cursor() {
        assert_eq!(written(|out| visible(out, "a\u{1b}[2Jb\r\n\tc")), "a\\u{1b}[2Jb\\r\\n\tc");
    }

    #[test]
    fn times_have_three_decimals() {
        assert_eq!(written(|out| millis(out, 1_042)), "1.042ms");
    }
}
