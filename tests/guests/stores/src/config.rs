//! Configuration and secrets.

use crate::query::Query;
use bindings::wasi::config::store;

mod bindings {
    wit_bindgen::generate!({ world: "imports", path: "../../../wit/config", generate_all });
}

/// The value under `key`, and all of them if none is asked for.
pub fn run(query: &Query) -> String {
    match query.text("key") {
        "" => format!("all {:?}\n", store::get_all().unwrap()),
        key => {
            let value = store::get(key).unwrap();
            if query.text("print") == "yes" {
                println!("the value is {value:?}");
            }
            format!("get {value:?}\n")
        }
    }
}
