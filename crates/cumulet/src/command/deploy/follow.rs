//! A deploy as the node goes through it.

use std::time::Duration;

use cumulet_spec::api::DeployView;

use super::teller::Teller;
use crate::client::{Client, Resource};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stopwatch::Stopwatch;

/// How long a node is asked to wait for the next phase.
const WAIT: Duration = Duration::from_secs(25);
/// The pause before a node is asked again that did not wait.
const PAUSE: Duration = Duration::from_millis(100);
/// How long one phase may take before it is followed no more.
const PHASE_TIME_MAX: Duration = Duration::from_secs(15 * 60);

/// Tells each phase until the deploy has ended, and returns its end.
///
/// # Errors
/// When the node cannot be asked any more, or does not go on.
pub(super) async fn follow(
    client: &Client,
    deploys: &Resource,
    begun: DeployView,
    teller: &mut Teller,
) -> Result<DeployView, Box<Failure>> {
    let resource = deploys.clone().then(&begun.id);
    let mut deploy = begun;
    let mut seen = 0;
    let mut since = Stopwatch::start();
    loop {
        for phase in deploy.phases.iter().skip(seen) {
            teller.reached(*phase);
        }
        if deploy.phase.is_end() {
            return Ok(deploy);
        }
        if deploy.phases.len() > seen {
            seen = deploy.phases.len();
            since = Stopwatch::start();
        } else if since.elapsed() > PHASE_TIME_MAX {
            return Err(stuck(&deploy));
        } else {
            tokio::time::sleep(PAUSE).await;
        }
        let next = resource.asking("seen", seen).asking("wait", WAIT.as_secs());
        deploy = client.wait(&next, WAIT).await.map_err(|error| lost(error.failure(not_seen(&deploy)), &deploy))?;
    }
}

fn not_seen(deploy: &DeployView) -> String {
    format!("cannot see what becomes of the deploy of {}", deploy.app)
}

/// The node may go on with it, or may have stopped in its midst.
fn lost(failure: Box<Failure>, deploy: &DeployView) -> Box<Failure> {
    failure
        .why(format!(
            "the deploy {} had got to `{}`; it may go on, and until it is live what ran before runs",
            deploy.id, deploy.phase
        ))
        .next(format!("see `cumulet revisions {}` once the node answers", deploy.app))
}

fn stuck(deploy: &DeployView) -> Box<Failure> {
    let minutes = PHASE_TIME_MAX.as_secs() / 60;
    Failure::new(Exit::FAILED, not_seen(deploy))
        .why(format!("it has been at `{}` for {minutes} minutes; what ran before still runs", deploy.phase))
        .next("see the node's log")
}
