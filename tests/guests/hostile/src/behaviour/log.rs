//! Writes `?line=` to standard output and to standard error, and answers.

use crate::call::Call;

pub fn run(call: Call) {
    let line = call.argument("line").unwrap_or("a line").to_owned();
    println!("out {line}");
    eprintln!("err {line}");
    call.answer(200, "logged\n");
}
