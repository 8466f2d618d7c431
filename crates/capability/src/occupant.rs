//! Whose invocation an instance serves.

use crate::exchange::Exchange;
use cumulet_spec::id::RequestId;
use parking_lot::Mutex;
use std::sync::Arc;

/// The invocation that an instance serves now. What a guest may keep for longer (its outputs, its sockets) asks here
/// each time.
#[derive(Clone, Debug)]
pub(crate) enum Occupant {
    /// The only one that it ever serves.
    Only(Arc<Exchange>, RequestId),
    /// The latest of several.
    Latest(Arc<Mutex<(Arc<Exchange>, RequestId)>>),
}

impl Occupant {
    /// The occupant of an instance that serves one invocation and is gone.
    pub(crate) fn only(exchange: &Arc<Exchange>, id: RequestId) -> Self {
        Self::Only(Arc::clone(exchange), id)
    }

    /// The first occupant of an instance that others may follow.
    pub(crate) fn first(exchange: &Arc<Exchange>, id: RequestId) -> Self {
        Self::Latest(Arc::new(Mutex::new((Arc::clone(exchange), id))))
    }

    /// The next one moves in.
    pub(crate) fn follow(&mut self, exchange: &Arc<Exchange>, id: RequestId) {
        match self {
            Self::Only(..) => *self = Self::only(exchange, id),
            Self::Latest(latest) => *latest.lock() = (Arc::clone(exchange), id),
        }
    }

    /// Calls `with` with the invocation.
    pub(crate) fn with<T>(&self, with: impl FnOnce(&Arc<Exchange>, &RequestId) -> T) -> T {
        match self {
            Self::Only(exchange, id) => with(exchange, id),
            Self::Latest(latest) => {
                let latest = latest.lock();
                with(&latest.0, &latest.1)
            }
        }
    }
}
