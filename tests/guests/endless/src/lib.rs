//! What never ends by itself, for guests of every world.

const STEP: usize = 1 << 20;

/// Computes without end, in a plain loop.
pub fn spin() -> ! {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

/// Takes memory until it is refused, and aborts then, as most language runtimes do.
pub fn allocate() -> ! {
    let mut held = Vec::new();
    loop {
        let mut step = vec![0_u8; STEP];
        // Touched, so that it counts wherever only resident pages would.
        step.fill(1);
        held.push(std::hint::black_box(step));
    }
}
