//! Answers sixteen random bytes in hexadecimal.

use crate::call::Call;

pub fn run(call: Call) {
    let bytes = wasip2::random::random::get_random_bytes(16);
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    call.answer(200, &format!("{text}\n"));
}
