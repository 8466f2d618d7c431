//! Blob stores: one call, or a walk through all of them.

use crate::query::Query;
use bindings::wasi::blobstore::blobstore;
use bindings::wasi::blobstore::container::Container;
use bindings::wasi::blobstore::types::{IncomingValue, ObjectId, OutgoingValue};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

mod bindings {
    wit_bindgen::generate!({
        world: "imports",
        path: "../../../wit/blobstore",
        generate_all,
        with: {
            "wasi:io/error@0.2.0": wasip2::io::error,
            "wasi:io/poll@0.2.0": wasip2::io::poll,
            "wasi:io/streams@0.2.0": wasip2::io::streams,
        },
    });
}

/// Opens `container`, and does what `do` says with `name` and `value`.
pub fn run(query: &Query) -> String {
    let container = match blobstore::get_container(query.text("container")) {
        Ok(container) => container,
        Err(error) => return format!("get-container {error}\n"),
    };
    let name = query.text("name");
    match query.text("do") {
        "write" => format!("write {:?}\n", write(&container, name, query.text("value").as_bytes())),
        "large" => format!("write {:?}\n", write_large(&container, name, query.parsed("size").unwrap_or(0))),
        "give-up" => {
            let value = OutgoingValue::new_outgoing_value();
            container.write_data(name, &value).unwrap();
            value.outgoing_value_write_body().unwrap().write_all(b"half").unwrap();
            drop(value);
            "given up\n".to_owned()
        }
        "hoard" => hoard(query.parsed("count").unwrap_or(0)),
        "read" => format!("read {:?}\n", read(&container, name, 0, u64::MAX)),
        "size" => format!("size {:?}\n", container.object_info(name).map(|info| info.size)),
        "denied" => denied(&container, query.text("other")),
        _ => walk(&container),
    }
}

fn write(container: &Container, name: &str, bytes: &[u8]) -> Result<(), String> {
    let value = OutgoingValue::new_outgoing_value();
    container.write_data(name, &value)?;
    {
        let mut body = value.outgoing_value_write_body().map_err(|()| "no body")?;
        body.write_all(bytes).map_err(|error| error.to_string())?;
    }
    OutgoingValue::finish(value)
}

fn write_large(container: &Container, name: &str, size: usize) -> Result<(), String> {
    let value = OutgoingValue::new_outgoing_value();
    container.write_data(name, &value)?;
    {
        let mut body = value.outgoing_value_write_body().map_err(|()| "no body")?;
        let chunk = [b'x'; 8192];
        let mut left = size;
        while left > 0 {
            let part = left.min(chunk.len());
            body.write_all(&chunk[..part]).map_err(|error| error.to_string())?;
            left -= part;
        }
    }
    OutgoingValue::finish(value)
}

fn read(container: &Container, name: &str, first: u64, last: u64) -> Result<String, String> {
    let bytes = IncomingValue::incoming_value_consume_sync(container.get_data(name, first, last)?)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens bodies and keeps them.
fn hoard(count: usize) -> String {
    let open = |_| {
        let value = OutgoingValue::new_outgoing_value();
        let body = value.outgoing_value_write_body().unwrap();
        (body, value)
    };
    format!("hoarded {}\n", (0..count).map(open).collect::<Vec<_>>().len())
}

/// Ways from a granted container to one that is not.
fn denied(container: &Container, other: &str) -> String {
    let mut text = String::new();
    let id = |container: &str, object: &str| ObjectId { container: container.to_owned(), object: object.to_owned() };
    let mut say = |what: &str, came: String| writeln!(text, "{what} {came}").unwrap();
    let own = container.name().unwrap();
    say("create", format!("{:?}", blobstore::create_container(other).map(drop)));
    say("get", format!("{:?}", blobstore::get_container(other).map(drop)));
    say("exists", format!("{:?}", blobstore::container_exists(other)));
    say("delete", format!("{:?}", blobstore::delete_container(other)));
    say("copy to", format!("{:?}", blobstore::copy_object(&id(&own, "a"), &id(other, "a"))));
    say("copy from", format!("{:?}", blobstore::copy_object(&id(other, "a"), &id(&own, "a"))));
    say("move to", format!("{:?}", blobstore::move_object(&id(&own, "a"), &id(other, "a"))));
    say("move from", format!("{:?}", blobstore::move_object(&id(other, "a"), &id(&own, "a"))));
    for name in ["../x", "/etc/passwd", "..", "a/../../b", "", "a\0b"] {
        let came = read(container, name, 0, u64::MAX);
        say("read", format!("{name:?} {}", if came.is_err() { "refused" } else { "READ" }));
    }
    text
}

/// Every call of the interfaces, once.
fn walk(container: &Container) -> String {
    let mut text = String::new();
    let own = container.name().unwrap();
    let id = |object: &str| ObjectId { container: own.clone(), object: object.to_owned() };
    let mut say = |what: &str, came: String| writeln!(text, "{what} {came}").unwrap();
    say("write", format!("{:?}", write(container, "a/1", b"0123456789")));
    say("write", format!("{:?}", write(container, "a", b"")));
    say("read", format!("{:?}", read(container, "a/1", 0, u64::MAX)));
    say("range", format!("{:?}", read(container, "a/1", 2, 4)));
    say("missing", format!("{:?}", read(container, "nothing", 0, 1).is_err()));
    let mut streamed = String::new();
    let value = container.get_data("a/1", 5, 100).unwrap();
    let size = value.size();
    let mut stream = IncomingValue::incoming_value_consume_async(value).unwrap();
    stream.read_to_string(&mut streamed).unwrap();
    drop(stream);
    say("stream", format!("{size} {streamed:?}"));
    say("has", format!("{:?} {:?}", container.has_object("a"), container.has_object("b")));
    say("size", format!("{:?}", container.object_info("a/1").map(|info| info.size)));
    say("copy", format!("{:?}", blobstore::copy_object(&id("a/1"), &id("b"))));
    say("move", format!("{:?}", blobstore::move_object(&id("b"), &id("c"))));
    let names = container.list_objects().unwrap();
    let (mut first, end) = names.read_stream_object_names(2).unwrap();
    let (rest, last) = names.read_stream_object_names(100).unwrap();
    first.extend(rest);
    first.sort();
    say("list", format!("{first:?} {end} {last}"));
    say("delete", format!("{:?} {:?}", container.delete_object("c"), container.delete_object("c")));
    say("clear", format!("{:?}", container.clear()));
    say("has", format!("{:?}", container.has_object("a")));
    let value = OutgoingValue::new_outgoing_value();
    let mut body = value.outgoing_value_write_body().unwrap();
    let stuck = (0..10_000).find_map(|_| body.write_all(&[0; 8192]).err());
    say("without a container", stuck.map_or("WRITTEN".to_owned(), |_| "refused".to_owned()));
    drop(body);
    say("finish", format!("{:?}", OutgoingValue::finish(value).is_err()));
    text
}
