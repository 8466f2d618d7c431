//! The store as the host gives it.

use bindings::wasi::keyvalue::atomics::{self, Cas, CasError};
use bindings::wasi::keyvalue::batch;
use bindings::wasi::keyvalue::store::{self, Error};

use crate::store::{Claim, Store, StoreError};

mod bindings {
    #![allow(unsafe_code, missing_docs, unreachable_pub, reason = "bindings, generated from wit/")]
    wit_bindgen::generate!({ world: "imports", path: "../../wit/keyvalue", generate_all });
}

/// The bucket's name, as the manifest grants it.
const NAME: &str = "default";

/// A granted bucket.
#[derive(Debug)]
pub(crate) struct Bucket(store::Bucket);

impl Bucket {
    /// Opens the bucket.
    pub(crate) fn open() -> Result<Self, StoreError> {
        Ok(Self(store::open(NAME)?))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::AccessDenied | Error::NoSuchStore => Self::NotGranted,
            Error::Other(why) => Self::Failed(why),
        }
    }
}

impl Store for Bucket {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key)?)
    }

    fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let pairs = batch::get_many(&self.0, keys)?;
        Ok(pairs.into_iter().map(|pair| pair.map(|(_, value)| value)).collect())
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StoreError> {
        Ok(self.0.set(key, value.as_bytes())?)
    }

    fn claim(&self, key: &str, value: &str) -> Result<Claim, StoreError> {
        let cas = Cas::new(&self.0, key)?;
        if cas.current()?.is_some() {
            return Ok(Claim::Taken);
        }
        match atomics::swap(cas, value.as_bytes()) {
            Ok(()) => Ok(Claim::Made),
            Err(CasError::CasFailed(_)) => Ok(Claim::Taken),
            Err(CasError::StoreError(error)) => Err(error.into()),
        }
    }

    fn increment(&self, key: &str) -> Result<u64, StoreError> {
        let number = atomics::increment(&self.0, key, 1)?;
        u64::try_from(number).map_err(|_| StoreError::Failed(format!("the counter {key} is {number}")))
    }

    fn list(&self, cursor: Option<&str>) -> Result<(Vec<String>, Option<String>), StoreError> {
        let page = self.0.list_keys(cursor)?;
        Ok((page.keys, page.cursor))
    }
}
