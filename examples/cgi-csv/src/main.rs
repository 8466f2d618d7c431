//! Says what is in the columns of a CSV table.
//!
//! The table comes in at standard input, the answer goes out at standard output. Called by a server (CGI) it writes a header
//! first; called by hand it does not. That is all it knows of HTTP, and of WebAssembly it knows nothing.

mod record;
mod summary;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use crate::summary::Summary;

/// The largest table that is read, in bytes.
const TABLE_BYTES_MAX: u64 = 8 << 20;

/// What becomes of a request: a status, and a text.
type Answer = (&'static str, String);

fn main() -> ExitCode {
    let is_called_by_a_server = variable("GATEWAY_INTERFACE").is_some();
    let method = variable("REQUEST_METHOD").unwrap_or_else(|| "POST".to_owned());
    let (status, text) = answer(&method, io::stdin().lock());
    let is_done = status == "200 OK";
    let written = if is_called_by_a_server {
        write(&format!("Status: {status}\nContent-Type: text/plain; charset=utf-8\n\n{text}"))
    } else {
        write(&text)
    };
    // A server wants an answer, and has it; a shell wants to know how it ended.
    if written.is_ok() && (is_called_by_a_server || is_done) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn answer(method: &str, input: impl Read) -> Answer {
    if !matches!(method, "POST" | "PUT") {
        return ("405 Method Not Allowed", "send a table: curl --data-binary @table.csv\n".to_owned());
    }
    let mut table = Vec::new();
    if let Err(error) = input.take(TABLE_BYTES_MAX + 1).read_to_end(&mut table) {
        return ("400 Bad Request", format!("the table did not come whole: {error}\n"));
    }
    if table.len() as u64 > TABLE_BYTES_MAX {
        return ("413 Content Too Large", format!("a table has at most {TABLE_BYTES_MAX} bytes\n"));
    }
    match String::from_utf8(table).map_err(|_| "the table is not UTF-8".to_owned()).and_then(|text| Summary::of(&text))
    {
        Ok(summary) => ("200 OK", summary.to_string()),
        Err(error) => ("422 Unprocessable Content", format!("{error}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_answered() {
        let (status, text) = answer("POST", include_bytes!("../data/planets.csv").as_slice());
        let expect = "\
column       filled  kind    smallest      largest  mean
name              8  text    Earth         Venus
radius_km         8  number  2439.7        69911    24547.375
distance_au       8  number  0.387         30.07    8.45425
moons             8  number  0             146      36
ring              4  text    bright, wide  faint
";
        assert_eq!((status, text.as_str()), ("200 OK", expect));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert_eq!(answer("GET", io::empty()).0, "405 Method Not Allowed");
        assert_eq!(answer("POST", io::repeat(b'x')).0, "413 Content Too Large");
        assert_eq!(
            answer("POST", [0xff].as_slice()),
            ("422 Unprocessable Content", "the table is not UTF-8\n".to_owned())
        );
        let (status, text) = answer("POST", b"a,b\n1\n".as_slice());
        assert_eq!(
            (status, text.as_str()),
            ("422 Unprocessable Content", "line 2 has 1 fields, and the header has 2\n")
        );
    }
}
