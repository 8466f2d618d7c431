//! Computes without end inside bulk-memory instructions, which take long between two loop back-edges.

use crate::call::Call;

const BYTES: usize = 64 << 20;

pub fn run(_call: Call) {
    let mut memory = vec![0_u8; BYTES];
    let mut value = 0_u8;
    loop {
        value = value.wrapping_add(1);
        // `fill` of bytes becomes one `memory.fill`; the black box keeps it from being dropped.
        memory.fill(value);
        std::hint::black_box(memory.as_mut_slice());
    }
}
