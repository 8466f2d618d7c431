//! Takes memory until it is refused, and aborts then, as most language runtimes do.

use crate::call::Call;

const STEP: usize = 1 << 20;

pub fn run(_call: Call) {
    let mut held = Vec::new();
    loop {
        let mut step = vec![0_u8; STEP];
        // Touched, so that it counts wherever only resident pages would.
        step.fill(1);
        held.push(std::hint::black_box(step));
    }
}
