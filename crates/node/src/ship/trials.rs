//! Trials of new revisions come to their end: the revision is kept, or requests go where they went before.

use super::Ship;
use crate::chain::chain;
use crate::pulse::Judged;
use cumulet_control::{
    AuditEntry, AuditOutcome, ChangeErrorKind, RegistryError, RevisionNumber, RevisionRef, TAKE_BACK_ACTION, TakeBack,
    Verdict,
};
use cumulet_spec::token::Actor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// The pause after the registry could not be written, before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

impl Ship {
    /// Sees to the verdicts on trials, until the node stops.
    pub(crate) fn heed(self: &Arc<Self>, mut verdicts: Receiver<Judged>) {
        let ship = Arc::clone(self);
        self.until_stopped(async move {
            while let Some(judged) = verdicts.recv().await {
                ship.settle(judged).await;
            }
        });
    }

    async fn settle(self: &Arc<Self>, judged: Judged) {
        let judged = Arc::new(judged);
        loop {
            let (ship, one) = (Arc::clone(self), Arc::clone(&judged));
            let done = tokio::task::spawn_blocking(move || ship.end_trial(&one)).await;
            let error = match done {
                Ok(Ok(())) | Err(_) => return,
                Ok(Err(error)) => error,
            };
            tracing::error!(app = %judged.app, error = %chain(&error), "the end of a trial waits for the registry");
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn end_trial(&self, judged: &Judged) -> Result<(), RegistryError> {
        let Judged { app, revision, verdict, at_us } = judged;
        let registry = &self.apps.registry;
        let Verdict::TakeBack(why) = verdict else {
            registry.keep(&app.tenant, &app.app, revision)?;
            return Ok(());
        };
        let take_back = TakeBack {
            tenant: app.tenant.clone(),
            app: app.app.clone(),
            revision: *revision,
            why: why.clone(),
            at_us: *at_us,
        };
        let reference = RevisionRef::Digest(*revision);
        let number = registry.revision(&app.tenant, &app.app, &reference).ok().map(|(row, _)| row.number);
        match self.change(app, |registry| registry.take_back(&take_back)).map_err(|error| error.kind) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => {
                tracing::warn!(%app, revision = %named(number), %why, "a revision was taken back");
                Ok(())
            }
            Err(ChangeErrorKind::Registry(error)) => Err(error),
            Err(kind) => {
                // It answers on, as nothing else can: its trial is over.
                let error = chain(&kind);
                tracing::warn!(%app, revision = %named(number), %why, %error, "a revision should have been taken back");
                self.note_failed(judged, number, &format!("{why}; {error}"));
                registry.keep(&app.tenant, &app.app, revision)?;
                Ok(())
            }
        }
    }

    fn note_failed(&self, judged: &Judged, number: Option<RevisionNumber>, reason: &str) {
        let entry = AuditEntry {
            at_us: judged.at_us,
            who: Actor::Node,
            tenant: Some(judged.app.tenant.clone()),
            action: TAKE_BACK_ACTION,
            target: format!("{} {}", judged.app.app, named(number)),
            outcome: AuditOutcome::Failed,
            reason: reason.to_owned(),
        };
        if let Err(error) = self.apps.registry.audit(&entry) {
            tracing::error!(error = %chain(&error), action = entry.action, "an entry of the audit log is lost");
        }
    }
}

fn named(number: Option<RevisionNumber>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}
