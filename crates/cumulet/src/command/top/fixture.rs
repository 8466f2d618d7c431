//! Views of nodes that tests look at.

use std::collections::BTreeMap;

use cumulet_spec::api::{LATENCY_BOUNDS_US, LiveApp, LiveNode, LiveRevision, LiveView};
use cumulet_spec::id::{AppName, TenantId};

use super::model::{Event, Model};
use super::order::{Order, SortKey};

/// When the node started.
const STARTED_US: u64 = 1_795_000_000_000_000;

/// What a node says so many seconds after its start.
pub(super) fn view(seconds: u64, apps: Vec<LiveApp>) -> LiveView {
    LiveView {
        at_us: STARTED_US + seconds * 1_000_000,
        started_us: STARTED_US,
        node: Some(LiveNode {
            slots: 2_340,
            slots_in_use: 3,
            loaded_apps: 12,
            loaded_bytes: 123 << 20,
            cold_starts: 17,
            memory_bytes: 51 << 20,
            ..LiveNode::default()
        }),
        latency_bounds_us: LATENCY_BOUNDS_US.to_vec(),
        apps,
    }
}

/// An app of the tenant `acme` with so many requests, of which each executed this long.
pub(super) fn app(name: &str, requests: u64, executed_us: u64) -> LiveApp {
    let mut latency = vec![0; LATENCY_BOUNDS_US.len() + 1];
    let errors = requests / 100;
    latency[3] = requests - requests / 10 - errors;
    latency[5] = requests / 10;
    latency[15] = errors;
    let revision = |revision: &str, requests: u64| LiveRevision {
        revision: revision.to_owned(),
        requests,
        errors: requests / 100,
        latency: latency.iter().map(|count| count / 2).collect(),
        executed_us: requests * executed_us,
        wall_us: requests * executed_us * 2,
    };
    LiveApp {
        tenant: TenantId::parse("acme").unwrap(),
        app: AppName::parse(name).unwrap(),
        revisions: vec![revision("r7", requests - requests / 3), revision("r8", requests / 3)],
        requests,
        errors,
        outcomes: BTreeMap::from([("ok".to_owned(), requests - errors), ("trap".to_owned(), errors)]),
        latency,
        executed_us: requests * executed_us,
        wall_us: requests * executed_us * 2,
        memory_peak_bytes: 3 << 20,
        bytes_in: requests * 80,
        bytes_out: requests * 1_200,
        cold_starts: 2,
        last_us: STARTED_US,
    }
}

/// A model that has seen these views, on a terminal of 80 by 24.
pub(super) fn seen(views: Vec<LiveView>) -> Model {
    let mut views = views.into_iter();
    let first = views.next().unwrap();
    let mut model = Model::new("http://127.0.0.1:3001/".to_owned(), Order::by(SortKey::Executed), first);
    for view in views {
        model.on(Event::Looked(Ok(view)));
    }
    model.on(Event::Sized(80, 24));
    model
}

/// Apps that do more from one look to the next: `app-00` the most, and twice as much at every second look.
pub(super) fn busy(apps: u64, looks: u64) -> Model {
    let at = |second: u64| {
        let done = second + second / 2;
        let app = |place: u64| app(&format!("app-{place:02}"), 200 + done * (apps - place) * 50, 100 + place);
        view(100 + second, (0..apps).map(app).collect())
    };
    seen((0..looks).map(at).collect())
}
