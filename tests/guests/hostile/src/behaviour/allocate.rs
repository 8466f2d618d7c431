//! Takes memory until it is refused.

use crate::call::Call;

pub fn run(_call: Call) {
    endless::allocate()
}
