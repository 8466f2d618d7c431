//! Answers its environment, arguments and working directory, one a line.

use wasip2::cli::environment::{get_arguments, get_environment, initial_cwd};

use crate::call::Call;

pub fn run(call: Call) {
    let mut text = String::new();
    for (name, value) in get_environment() {
        text.push_str(&format!("env {name}={value}\n"));
    }
    for argument in get_arguments() {
        text.push_str(&format!("arg {argument}\n"));
    }
    if let Some(folder) = initial_cwd() {
        text.push_str(&format!("cwd {folder}\n"));
    }
    call.answer(200, &text);
}
