//! The frames, the windows, and a real guest behind a socketpair.

mod codec;
mod guest;
mod window;
