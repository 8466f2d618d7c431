//! Finishes its response, goes on computing for `?ms=` milliseconds (50), and says on standard error that it did.

use crate::call::Call;

pub fn run(call: Call) {
    let ms = call.number("ms", 50);
    call.answer(200, "done\n");
    super::work::burn(ms);
    eprintln!("after the response");
}
