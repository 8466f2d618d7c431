//! Panics before it answers.

use crate::call::Call;

pub fn run(_call: Call) {
    panic!("as asked");
}
