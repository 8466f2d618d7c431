//! Returns without a response.

use crate::call::Call;

pub fn run(call: Call) {
    drop(call);
}
