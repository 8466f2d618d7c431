//! The app that is deployed again and again: each version of it says which one it is.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cumulet_spec::id::Digest;
use serde_json::{Value, json};

use super::admin::Admin;
use crate::clock;
use crate::fleet::{Model, NodeProcess, get};
use crate::wire::Connection;

/// The tenant of all apps.
pub(super) const TENANT: &str = "acme";
/// What an app is asked.
const PATH: &str = "/config?key=version";
/// The longest that is waited for the first right answer of what is live.
const RIGHT_MAX: Duration = Duration::from_secs(30);
/// The longest that any answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// The phases of a deploy, each with the one that it begins after.
pub(super) const PHASES: [(&str, &str); 4] =
    [("compiled", "received"), ("linked", "compiled"), ("probed", "linked"), ("live", "probed")];

/// An app, and who deploys it and asks it.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) admin: Admin,
    /// Its name.
    pub(super) name: String,
    client: Connection,
    components: Vec<Digest>,
}

/// How long a deploy took, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Took {
    /// From the first byte to the first right answer.
    pub(super) whole: f64,
    /// Sending the components.
    pub(super) upload: f64,
    /// From the request to the answer that it was taken.
    pub(super) taken: f64,
    /// Each of [`PHASES`], as the node says.
    pub(super) phases: [f64; PHASES.len()],
    /// From hearing that it is live to the first right answer.
    pub(super) answer: f64,
}

impl Shop {
    /// An app of this name that is not deployed yet.
    pub(super) fn new(node: &NodeProcess, admin: Admin, name: &str) -> Result<Self> {
        Ok(Self { admin, name: name.to_owned(), client: node.connect()?, components: Vec::new() })
    }

    /// Deploys a version in components that were never seen, or in those of the version before.
    pub(super) fn deploy(&mut self, version: &str, fresh: Option<&[Vec<u8>]>) -> Result<Took> {
        let began = clock::now();
        if let Some(components) = fresh {
            let sent = components.iter().map(|bytes| self.admin.upload(bytes));
            self.components = sent.collect::<Result<_>>()?;
        }
        let upload = millis(began);
        let request = self.request(version);
        let asked = clock::now();
        let begun = self.admin.begin(&self.name, &request)?;
        let taken = millis(asked);
        let live = self.admin.live(&self.name, &begun)?;
        let heard = clock::now();
        self.answers(version)?;
        let answer = millis(heard);
        Ok(Took { whole: millis(began), upload, taken, phases: phases(&live)?, answer })
    }

    /// Leads the traffic to a revision, and says how long it took until the node said so, and until it was so.
    pub(super) fn switch(&mut self, revision: &str, version: &str) -> Result<[f64; 2]> {
        let began = clock::now();
        self.admin.switch(&self.name, revision)?;
        let said = millis(began);
        self.answers(version)?;
        Ok([said, millis(began)])
    }

    /// The same back to where it went before.
    pub(super) fn roll_back(&mut self, version: &str) -> Result<[f64; 2]> {
        let began = clock::now();
        self.admin.roll_back(&self.name)?;
        let said = millis(began);
        self.answers(version)?;
        Ok([said, millis(began)])
    }

    /// The bytes of the request that it is asked.
    pub(super) fn ask(&self) -> Vec<u8> {
        get(&format!("{}.{TENANT}.localhost", self.name), PATH)
    }

    /// Asks until this version answers.
    fn answers(&mut self, version: &str) -> Result<()> {
        let (ask, expect) = (self.ask(), says(version));
        let began = clock::now();
        loop {
            let reply = self.client.exchange(&ask, ANSWER_MAX).context("no answer")?;
            if reply.status == 200 && reply.body == expect {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            ensure!(began.elapsed() < RIGHT_MAX, "{version} is live, and the answer is {}: {text}", reply.status);
        }
    }

    fn request(&self, version: &str) -> Value {
        let mut manifest = format!("manifest = 1\n[app]\nname = \"{}\"\nversion = \"{version}\"\n", self.name);
        let mut components = json!({});
        for (place, digest) in self.components.iter().enumerate() {
            let name = format!("part-{place}");
            let route = if place == 0 { "/*".to_owned() } else { format!("/{name}/*") };
            // Writing to a string does not fail.
            let _written = write!(
                manifest,
                "[component.{name}]\nsource = \"{name}.wasm\"\n[component.{name}.grant]\nconfig = {{ version = \"{version}\" }}\n\
                 [[trigger.http]]\nroute = \"{route}\"\ncomponent = \"{name}\"\n"
            );
            if let Some(components) = components.as_object_mut() {
                components.insert(name, json!(digest.to_string()));
            }
        }
        json!({ "manifest": manifest, "components": components, "accept_grants": true })
    }
}

/// Components with bytes that no other number has.
pub(super) fn fresh(model: &Model, number: u64) -> Vec<Vec<u8>> {
    (0..super::COMPONENTS).map(|part| model.distinct(number * super::COMPONENTS + part)).collect()
}

/// What this version answers.
pub(super) fn says(version: &str) -> Vec<u8> {
    format!("get Some({version:?})\n").into_bytes()
}

/// How long ago that was, in milliseconds.
fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

/// The phases of a deploy that is live, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn phases(live: &Value) -> Result<[f64; PHASES.len()]> {
    let at = |name: &str| {
        let phases = live.get("phases").and_then(Value::as_array)?;
        let phase = phases.iter().find(|phase| phase.get("phase").and_then(Value::as_str) == Some(name))?;
        phase.get("at_us").and_then(Value::as_u64)
    };
    let mut all = [0.0; PHASES.len()];
    for (millis, (end, begin)) in all.iter_mut().zip(PHASES) {
        let (end, begin) = at(end).zip(at(begin)).with_context(|| format!("the deploy has no {end}: {live}"))?;
        *millis = end.saturating_sub(begin) as f64 / 1e3;
    }
    Ok(all)
}
