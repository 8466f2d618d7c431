//! Reads standard input to its end, which is at once for a served component.

use std::io::Read as _;

use crate::call::Call;

pub fn run(call: Call) {
    let mut input = Vec::new();
    let text = match std::io::stdin().read_to_end(&mut input) {
        Ok(count) => format!("{count}\n"),
        Err(error) => format!("{error}\n"),
    };
    call.answer(200, &text);
}
