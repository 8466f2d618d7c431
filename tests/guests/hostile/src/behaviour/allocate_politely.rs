//! Takes memory until it is refused, and answers with how many bytes it got.

use crate::call::Call;

const STEP: usize = 1 << 20;

pub fn run(call: Call) {
    let mut held = Vec::new();
    loop {
        let mut step = Vec::<u8>::new();
        if held.try_reserve(1).is_err() || step.try_reserve_exact(STEP).is_err() {
            break;
        }
        step.resize(STEP, 1);
        held.push(std::hint::black_box(step));
    }
    let got = held.len() * STEP;
    // The answer itself needs a little of it back.
    drop(held);
    call.answer(200, &format!("{got}\n"));
}
