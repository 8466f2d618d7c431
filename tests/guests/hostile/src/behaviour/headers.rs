//! Answers the request as this guest sees it: method, scheme, authority, path, then each header, one a line.

use crate::call::Call;

pub fn run(call: Call) {
    let request = &call.request;
    let mut text = format!(
        "method {:?}\nscheme {:?}\nauthority {:?}\npath {:?}\n",
        request.method(),
        request.scheme(),
        request.authority(),
        request.path_with_query(),
    );
    let headers = request.headers();
    for (name, value) in headers.entries() {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(&value)));
    }
    drop(headers);
    call.answer(200, &text);
}
