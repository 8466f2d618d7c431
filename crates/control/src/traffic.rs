//! Requests to change which revisions of an app answer.

use cumulet_spec::id::{AppName, TenantId};
use cumulet_spec::token::Actor;
use cumulet_spec::traffic::Traffic;

use crate::change::{ChangeNumber, IdempotencyKey};
use crate::revision::RevisionRef;

/// These revisions answer from now on, and no others.
#[derive(Debug, Clone)]
pub struct SetTraffic {
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// Which revisions answer, and for what share; all of them are kept ones.
    pub traffic: Traffic,
    /// When this was asked for, in µs since 1970.
    pub at_us: u64,
    /// Who asked for it.
    pub by: Actor,
    /// What the client calls this request, if it may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The generation that the client saw last, if it minds what came between.
    pub expected_generation: Option<ChangeNumber>,
}

/// What answered before answers again.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// The revision that answers everything from now on. Without one, the traffic from before the last change that
    /// altered it comes back; done twice, that is where it began.
    pub to: Option<RevisionRef>,
    /// When this was asked for, in µs since 1970.
    pub at_us: u64,
    /// Who asked for it.
    pub by: Actor,
    /// What the client calls this request, if it may send it again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The generation that the client saw last, if it minds what came between.
    pub expected_generation: Option<ChangeNumber>,
}

/// What a change of traffic came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficSet {
    /// The number of the change, which is the app's generation from now on.
    pub number: ChangeNumber,
    /// Which revisions answer from now on.
    pub traffic: Traffic,
}
