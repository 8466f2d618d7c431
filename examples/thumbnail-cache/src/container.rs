//! The blob store as the host gives it.

use bindings::wasi::blobstore::blobstore::{create_container, get_container};
use bindings::wasi::blobstore::container;
use bindings::wasi::blobstore::types::{IncomingValue, OutgoingValue};
use guest_http::write_all;

use crate::shelf::{Shelf, ShelfError};

mod bindings {
    #![allow(unsafe_code, missing_docs, unreachable_pub, reason = "bindings, generated from wit/")]
    wit_bindgen::generate!({
        world: "imports",
        path: "../../wit/blobstore",
        generate_all,
        // The streams are those of `wasi:http`, so that both can be written to by the same function.
        with: {
            "wasi:io/error@0.2.0": wasip2::io::error,
            "wasi:io/poll@0.2.0": wasip2::io::poll,
            "wasi:io/streams@0.2.0": wasip2::io::streams,
        },
    });
}

/// The container's name, as the manifest grants it.
const NAME: &str = "thumbnails";

/// A granted container.
#[derive(Debug)]
pub(crate) struct Container(container::Container);

impl Container {
    /// Opens the container, and makes it where there is none yet.
    pub(crate) fn open() -> Result<Self, ShelfError> {
        get_container(NAME).or_else(|_| create_container(NAME)).map(Self).map_err(ShelfError::Closed)
    }
}

impl Shelf for Container {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ShelfError> {
        if !self.0.has_object(name).map_err(ShelfError::Failed)? {
            return Ok(None);
        }
        // The end is inclusive and may lie beyond the object's.
        let value = self.0.get_data(name, 0, u64::MAX).map_err(ShelfError::Failed)?;
        IncomingValue::incoming_value_consume_sync(value).map(Some).map_err(ShelfError::Failed)
    }

    fn put(&self, name: &str, pieces: &[Vec<u8>]) -> Result<(), ShelfError> {
        let failed = |why: &str| ShelfError::Failed(why.to_owned());
        let value = OutgoingValue::new_outgoing_value();
        let stream = value.outgoing_value_write_body().map_err(|()| failed("the body cannot be written"))?;
        // Whoever reads the body is named first: nothing would take it otherwise.
        self.0.write_data(name, &value).map_err(ShelfError::Failed)?;
        pieces.iter().try_for_each(|piece| write_all(&stream, piece)).map_err(|_| failed("the body broke off"))?;
        drop(stream);
        OutgoingValue::finish(value).map_err(ShelfError::Failed)
    }

    fn delete(&self, name: &str) -> Result<(), ShelfError> {
        self.0.delete_object(name).map_err(ShelfError::Failed)
    }
}
