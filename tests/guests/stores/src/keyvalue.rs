//! Key-value stores: one call, or a walk through all of them.

use crate::query::Query;
use bindings::wasi::keyvalue::{atomics, batch, store};
use std::fmt::Write as _;

mod bindings {
    wit_bindgen::generate!({ world: "imports", path: "../../../wit/keyvalue", generate_all });
}

pub use store::{Bucket, open};

/// Opens `bucket`, and does what `do` says with `key` and `value`.
pub fn run(query: &Query) -> String {
    let bucket = match open(query.text("bucket")) {
        Ok(bucket) => bucket,
        Err(error) => return format!("open {error:?}\n"),
    };
    let (key, value) = (query.text("key"), query.text("value"));
    match query.text("do") {
        "get" => format!("get {:?}\n", bucket.get(key).map(shown)),
        "set" => format!("set {:?}\n", bucket.set(key, value.as_bytes())),
        "large" => {
            let size = query.parsed("size").unwrap_or(0);
            format!("set {:?}\n", bucket.set(key, &vec![b'x'; size]))
        }
        "delete" => format!("delete {:?}\n", bucket.delete(key)),
        "increment" => format!("increment {:?}\n", atomics::increment(&bucket, key, query.parsed("by").unwrap_or(1))),
        "keys" => format!("keys {:?}\n", bucket.list_keys(None).map(|page| page.keys)),
        _ => walk(&bucket),
    }
}

fn shown(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Every call of the three interfaces, once.
fn walk(bucket: &Bucket) -> String {
    let mut text = String::new();
    let mut say = |what: &str, came: String| writeln!(text, "{what} {came}").unwrap();
    say("set", format!("{:?}", bucket.set("a", b"1")));
    say("get", format!("{:?}", bucket.get("a").map(shown)));
    say("get missing", format!("{:?}", bucket.get("b").map(shown)));
    say("exists", format!("{:?} {:?}", bucket.exists("a"), bucket.exists("b")));
    say("increment", format!("{:?}", atomics::increment(bucket, "n", 5)));
    say("increment", format!("{:?}", atomics::increment(bucket, "n", -2)));
    let cas = atomics::Cas::new(bucket, "a").unwrap();
    say("current", format!("{:?}", cas.current().map(shown)));
    say("swap", format!("{:?}", atomics::swap(cas, b"2").is_ok()));
    let cas = atomics::Cas::new(bucket, "a").unwrap();
    bucket.set("a", b"3").unwrap();
    match atomics::swap(cas, b"4") {
        Err(atomics::CasError::CasFailed(again)) => {
            say("swap late", format!("{:?}", again.current().map(shown)));
            say("swap again", format!("{:?}", atomics::swap(again, b"5").is_ok()));
        }
        other => say("swap late", format!("{:?}", other.is_ok())),
    }
    let pairs = [("x".to_owned(), b"7".to_vec()), ("y".to_owned(), b"8".to_vec())];
    say("set-many", format!("{:?}", batch::set_many(bucket, &pairs)));
    let keys = ["x", "nothing", "y"].map(str::to_owned);
    let found = batch::get_many(bucket, &keys).unwrap();
    let found: Vec<_> = found.into_iter().map(|pair| pair.map(|(key, value)| (key, shown(Some(value))))).collect();
    say("get-many", format!("{found:?}"));
    say("delete-many", format!("{:?}", batch::delete_many(bucket, &keys)));
    let mut page = bucket.list_keys(None).unwrap();
    page.keys.sort();
    say("keys", format!("{:?} {:?}", page.keys, page.cursor));
    say("delete", format!("{:?} {:?}", bucket.delete("a"), bucket.delete("a")));
    say("key", format!("{:?}", bucket.set("", b"").is_err()));
    text
}

/// One compare-and-swap that adds to a number, tried until it holds.
pub fn add(bucket: &Bucket, key: &str) {
    let mut cas = atomics::Cas::new(bucket, key).unwrap();
    loop {
        let seen =
            cas.current().unwrap().and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok()).unwrap_or(0_u64);
        match atomics::swap(cas, (seen + 1).to_string().as_bytes()) {
            Ok(()) => return,
            Err(atomics::CasError::CasFailed(again)) => cas = again,
            Err(atomics::CasError::StoreError(error)) => panic!("{error:?}"),
        }
    }
}
