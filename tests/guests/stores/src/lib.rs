//! A WASI 0.2 component that uses stores as its request says: `/NAME/keyvalue?bucket=default`.
//!
//! The last segment of the path names the store, the query what to do with it. Each line of the answer is one call and what
//! came of it, so that a test can read what happened where.

mod bench;
mod blobstore;
mod config;
mod keyvalue;
mod postgres;
mod query;
mod sqlite;

use query::Query;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

struct Stores;

impl wasip2::exports::http::incoming_handler::Guest for Stores {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (name, query) = Query::of(&target);
        let text = match name {
            "keyvalue" => keyvalue::run(&query),
            "blobstore" => blobstore::run(&query),
            "sqlite" => sqlite::run(&query),
            "postgres" => postgres::run(&query),
            "config" => config::run(&query),
            "bench" => bench::run(&query),
            other => format!("this guest knows no store {other:?}\n"),
        };
        answer::answer(out, &text);
    }
}

wasip2::http::proxy::export!(Stores);
