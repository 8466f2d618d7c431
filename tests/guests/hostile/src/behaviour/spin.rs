//! Computes without end, in a plain loop.

use crate::call::Call;

pub fn run(_call: Call) {
    endless::spin()
}
