//! Writes `?line=`, or the header `x-line`, to standard output and to standard error, and answers.

use crate::call::Call;

pub fn run(call: Call) {
    let header = call.request.headers().get("x-line").into_iter().next();
    let header = header.map(|value| String::from_utf8_lossy(&value).into_owned());
    let argument = call.argument("line").map(str::to_owned);
    let line = argument.or(header).unwrap_or_else(|| "a line".to_owned());
    println!("out {line}");
    println!("{line}");
    eprintln!("err {line}");
    call.answer(200, "logged\n");
}
