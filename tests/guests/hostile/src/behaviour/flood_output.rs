//! Writes to standard output without end.

use std::io::Write as _;

use crate::call::Call;

pub fn run(_call: Call) {
    let line = [b'x'; 1024];
    let mut out = std::io::stdout().lock();
    loop {
        // A refusal ends nothing: the guest goes on as if it had been written.
        let _ = out.write_all(&line);
        let _ = out.write_all(b"\n");
    }
}
