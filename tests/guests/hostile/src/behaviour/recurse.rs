//! Calls itself without end.

use crate::call::Call;

#[expect(unconditional_recursion, reason = "that is the behaviour")]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    deeper(depth + 1) + frame[0]
}

pub fn run(call: Call) {
    let depth = deeper(0);
    call.answer(200, &format!("{depth}\n"));
}
