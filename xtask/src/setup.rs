//! Installs what the full set of tests and benches needs. Quick when there is nothing to do.

mod browser;
mod contract;
pub(crate) mod guest_target;
mod kotlin;
mod packages;
mod templates;
mod toolchain;

use crate::repository::Repository;

/// Installs what is missing, and says for each thing whether it was there.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    toolchain::ensure(repository)?;
    guest_target::ensure()?;
    packages::ensure()?;
    browser::ensure(repository)?;
    contract::ensure(repository)?;
    templates::ensure(repository)?;
    kotlin::ensure(repository)
}
