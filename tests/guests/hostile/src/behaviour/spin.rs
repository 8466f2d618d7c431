//! Computes without end, in a plain loop.

use crate::call::Call;

pub fn run(_call: Call) {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}
