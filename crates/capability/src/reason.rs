//! What a guest is told of a stream that failed: the reasons, and nothing of the host's own stack.
//!
//! The engine's own answer is the debug text of its error, which carries a backtrace of this process when the
//! environment asks for one.

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime::{Error, Result};
use wasmtime_wasi::WasiView;
use wasmtime_wasi_io::bindings::wasi::io::error;

/// Replaces `wasi:io/error`. The linker must allow shadowing.
pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    error::add_to_linker::<T, Reasons>(linker, |data| ReasonsView(data.ctx().table))
}

struct Reasons;

impl HasData for Reasons {
    type Data<'a> = ReasonsView<'a>;
}

struct ReasonsView<'a>(&'a mut ResourceTable);

impl error::Host for ReasonsView<'_> {}

impl error::HostError for ReasonsView<'_> {
    fn to_debug_string(&mut self, error: Resource<Error>) -> Result<String> {
        Ok(format!("{:#}", self.0.get(&error)?))
    }

    fn drop(&mut self, error: Resource<Error>) -> Result<()> {
        self.0.delete(error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use error::HostError as _;

    #[test]
    fn a_guest_learns_the_reasons_and_no_frame_of_the_host() {
        let mut table = ResourceTable::new();
        let failed = Error::msg("the disk is full").context("cannot write");
        let failed = table.push(failed).unwrap();
        assert_eq!(ReasonsView(&mut table).to_debug_string(failed).unwrap(), "cannot write: the disk is full");
    }
}
