//! What components are made ready with: everything of a node that outlives its apps.

use crate::account::{Account, Accounts, Used};
use crate::apps::Codes;
use crate::books::Books;
use crate::compiler::Compiler;
use crate::event::EventQueue;
use crate::load::LoadErrorKind;
use crate::logs::Logs;
use crate::pulse::Pulse;
use crate::values::Variables;
use crate::warm::WarmInstances;
use cumulet_artifact::{CompiledKey, CompiledStore, ComponentStore, NodeKey, StoredKey};
use cumulet_capability::{Linkers, Root, Witness};
use cumulet_engine::{EngineClass, Engines, Fingerprints};
use cumulet_meter::ledger::SubjectId;
use cumulet_meter::{Admission, QuotaGates, Tally, Turn};
use cumulet_provider::Stores;
use cumulet_spec::id::{AppId, ComponentName, Digest, NodeName};
use cumulet_spec::invocation::Trigger;
use cumulet_spec::usage::UsageSubject;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::RwLock;

/// What is remembered of what components ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observe {
    /// Nothing.
    Nothing,
    /// What was granted and what was denied, with counts: see [`Node::asked`](crate::Node::asked).
    Grants,
}

/// Which sums are kept in memory beside the ledger.
#[derive(Debug)]
pub(crate) enum Tallies {
    /// Those of each component, over all of its revisions: for the few of one app.
    Each(Mutex<BTreeMap<(AppId, ComponentName), Arc<Tally>>>),
    /// Those of the node, whose apps may be many: what each of them used is in the ledger.
    Node(Arc<Tally>),
}

/// The workshop.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) engines: Engines,
    /// Instances that wait for another invocation.
    pub(crate) warm: WarmInstances,
    pub(crate) linkers: Linkers,
    pub(crate) compiler: Compiler,
    pub(crate) store: CompiledStore,
    pub(crate) components: ComponentStore,
    /// Shared by what arrives: bytes, deploys. Whoever removes what is not used has it alone.
    pub(crate) arrivals: RwLock<()>,
    pub(crate) codes: Codes,
    pub(crate) stores: Arc<Stores>,
    pub(crate) data_dir: PathBuf,
    pub(crate) key: NodeKey,
    pub(crate) variables: Arc<Variables>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) clock_step: Option<Duration>,
    pub(crate) books: Arc<Books>,
    pub(crate) accounts: Accounts,
    pub(crate) events: Arc<EventQueue>,
    /// What apps did, where there may be many.
    pub(crate) pulse: Option<Arc<Pulse>>,
    /// The logs of apps, where they are kept.
    pub(crate) logs: Option<Logs>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) tallies: Tallies,
    pub(crate) observe: Observe,
    pub(crate) witnesses: Mutex<BTreeMap<ComponentName, Arc<Witness>>>,
    pub(crate) fingerprints: Fingerprints,
    pub(crate) next_turn: AtomicU64,
}

/// What the components of one revision share.
#[derive(Debug)]
pub(crate) struct Household {
    pub(crate) id: AppId,
    pub(crate) revision: Digest,
    /// Whose turn it is in the run queue.
    pub(crate) turn: Turn,
    pub(crate) quotas: QuotaGates,
    /// What relative paths in grants are taken from.
    pub(crate) base: PathBuf,
    /// The certificates of the app's own authorities.
    pub(crate) roots: Vec<Root>,
}

impl Workshop {
    /// What the components of a revision share.
    pub(crate) fn household(&self, id: &AppId, revision: Digest) -> Result<Household, LoadErrorKind> {
        let used = Used { reader: &self.books.reader, now_us: self.books.now_us() };
        let account: Arc<Account> = self.accounts.of(&id.tenant, &used)?;
        let app = self.next_turn.fetch_add(1, Ordering::Relaxed);
        Ok(Household {
            id: id.clone(),
            revision,
            turn: Turn { tenant: account.number, app, weight: account.weight },
            quotas: self.accounts.gates(id, &account, &used)?,
            base: self.data_dir.clone(),
            roots: Vec::new(),
        })
    }

    /// The number under which a component's usage is recorded. Durable when this returns.
    pub(crate) fn subject(&self, household: &Household, component: &ComponentName) -> Result<SubjectId, LoadErrorKind> {
        let subject = self.usage_subject(household, component);
        Ok(self.books.ledger.subject(&subject)?)
    }

    fn usage_subject(&self, household: &Household, component: &ComponentName) -> UsageSubject {
        UsageSubject {
            node: self.node_name().clone(),
            tenant: household.id.tenant.clone(),
            app: household.id.app.clone(),
            component: component.clone(),
            revision: household.revision,
            trigger: Trigger::Http,
        }
    }

    fn node_name(&self) -> &NodeName {
        &self.accounts.config().name
    }

    /// Whether everything here belongs to whoever runs the node.
    pub(crate) fn serves_one_app(&self) -> bool {
        matches!(self.tallies, Tallies::Each(_))
    }

    /// What a component is compiled to, for one class of engine.
    pub(crate) fn key(&self, digest: Digest, class: EngineClass) -> CompiledKey {
        CompiledKey { digest, class: class.label(), fingerprint: self.fingerprints.get(class).to_owned() }
    }

    /// Whether this process would look for a compiled file.
    pub(crate) fn is_current(&self, key: &StoredKey<'_>) -> bool {
        EngineClass::ALL
            .into_iter()
            .any(|class| key.class == class.label() && key.fingerprint == self.fingerprints.get(class))
    }

    /// Who remembers what a component asks for, over all of its revisions; nobody unless that was asked for.
    pub(crate) fn witness(&self, component: &ComponentName) -> Option<Arc<Witness>> {
        match self.observe {
            Observe::Nothing => None,
            Observe::Grants => Some(Arc::clone(self.witnesses.lock().entry(component.clone()).or_default())),
        }
    }

    /// The sums that a component's invocations are added to.
    pub(crate) fn tally(&self, id: &AppId, component: &ComponentName) -> Arc<Tally> {
        match &self.tallies {
            Tallies::Node(tally) => Arc::clone(tally),
            Tallies::Each(each) => Arc::clone(each.lock().entry((id.clone(), component.clone())).or_default()),
        }
    }

    /// Makes the data folder, which is for its owner alone.
    pub(crate) fn make_folder(data_dir: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir)
    }
}
