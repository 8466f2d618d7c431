//! An invocation over a stream between two processes: the seam along which a node can be taken apart.
//!
//! A node of one process does not use it: the gateway calls `invoke` directly. It is here so that what runs guests can
//! move into a process of its own, one for each tier of trust, without a change on either side: [`Client`] takes the
//! handler's place at the gateway, [`serve`] calls the handler that the gateway called before, and a stream is all
//! that lies between them. What crosses is data: heads, bodies in chunks, and how the invocation ended. No socket of a
//! client, its address, a token or a key does.
//!
//! A connection carries one invocation and is closed after it. Each side sends no more of a body than the other has
//! granted ([`WINDOW_BYTES`]), and always reads, so neither can block the other for good. A stream that ends early
//! cancels what it carried; so does a response that nobody wants any more. The frames carry a version: both sides are
//! of one build, and a frame of another version is refused, never guessed at.

mod arriving;
mod client;
mod credit;
mod frame;
mod head;
mod link;
mod sending;
mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, Place, ResponseBody};
pub use credit::WINDOW_BYTES;
pub use frame::FrameError;
pub use link::WireError;
pub use server::serve;

use std::time::Duration;

/// How long a side waits for the other to take its last frames and close.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);
