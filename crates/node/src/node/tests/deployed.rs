//! Apps that are deployed: they answer, sleep, wake, and outlive the process.

mod fleet;

use self::fleet::{Fleet, compile_nanos, connect, get, get_at, guest};
use crate::node::ServeOptions;
use crate::serving::Directory;
use crate::{DeployError, DeployRequest, SweepError, Swept};
use cumulet_control::{ChangeError, Remove};
use cumulet_meter::ledger::{LedgerReader, Minute};
use cumulet_spec::id::AppId;
use cumulet_spec::manifest::Manifest;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::quantity::Bytes;
use cumulet_spec::token::Actor;
use futures_util::FutureExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Something done to a file.
type Tamper = fn(&Path);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deployed_answers_at_its_host_and_after_a_restart() {
    let fleet = Fleet::new("[tenant.acme]\nhosts = [\"shop.example\"]\n");
    let node = fleet.start();
    assert_eq!(get(&node, "acme/shop", "/count").await.0, 404);
    let deployed = fleet.deploy(&node, "acme/shop", "").await.unwrap();
    assert_eq!(deployed.hosts, ["shop.acme.localhost"]);
    fleet.deploy(&node, "other/shop", "").await.unwrap();
    let mut running = Some(node);
    for _ in 0..2 {
        let node = running.take().unwrap_or_else(|| fleet.start());
        for app in ["acme/shop", "other/shop"] {
            assert_eq!(get(&node, app, "/count").await.0, 200, "{app}");
        }
        assert_eq!(get_at(&node, "SHOP.acme.LocalHost:80", "/count").await.0, 200);
        for host in ["shop.nobody.localhost", "shop.example", "localhost", "a.shop.acme.localhost"] {
            assert_eq!(get_at(&node, host, "/count").await.0, 404, "{host}");
        }
        node.drain().await;
    }
    assert_eq!(fleet.records("acme/shop"), [(Outcome::Ok, 4)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compiled_file_that_is_not_ours_is_made_anew() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    fleet.deploy(&node, "acme/shop", "").await.unwrap();
    node.drain().await;
    let ways: [(&str, Tamper); 3] = [
        ("changed", |path| {
            let mut bytes = std::fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }),
        ("truncated", |path| std::fs::write(path, b"\x7fELF").unwrap()),
        ("removed", |path| std::fs::remove_file(path).unwrap()),
    ];
    for (name, tamper) in ways {
        let files = fleet.compiled();
        assert_eq!(files.len(), 1, "{name}");
        tamper(&files[0]);
        let node = fleet.start();
        assert_eq!(get(&node, "acme/shop", "/count").await.0, 200, "{name}");
        assert!(compile_nanos(&node) > 0, "{name}: it was compiled anew");
        node.drain().await;
    }
    let node = fleet.start();
    assert_eq!(get(&node, "acme/shop", "/count").await.0, 200);
    assert_eq!(compile_nanos(&node), 0, "what was made anew is kept");
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_loaded_costs_its_own_app_only() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    for app in ["acme/lost", "acme/shop"] {
        fleet.deploy(&node, app, "").await.unwrap();
    }
    node.drain().await;
    for folder in ["compiled", "components"] {
        std::fs::remove_dir_all(fleet.data.path().join(folder)).unwrap();
    }
    let node = fleet.start();
    fleet.deploy(&node, "acme/shop", "").await.unwrap();
    assert_eq!(get(&node, "acme/lost", "/count").await.0, 500);
    assert_eq!(get(&node, "acme/shop", "/count").await.0, 200);
    fleet.deploy(&node, "acme/lost", "").await.unwrap();
    assert_eq!(get(&node, "acme/lost", "/count").await.0, 200, "deployed again, it is whole");
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_apps_than_fit_all_answer() {
    let mut fleet = Fleet::new("");
    // Less than a configuration may say: a few components fill it.
    fleet.config.limits.loaded = Some(Bytes::mib(2));
    let node = fleet.start();
    let apps: Vec<String> = (0..8).map(|number| format!("acme/app-{number}")).collect();
    for app in &apps {
        fleet.deploy(&node, app, "").await.unwrap();
    }
    for _ in 0..3 {
        for app in &apps {
            assert_eq!(get(&node, app, "/count").await.0, 200, "{app}");
        }
    }
    let Directory::Deployed(deployed) = &node.serving.directory else { panic!("a node of deployed apps") };
    let totals = deployed.totals();
    assert!(totals.evicted > 0 && totals.apps < 8, "{totals:?}");
    node.drain().await;
    for app in &apps {
        assert_eq!(fleet.records(app), [(Outcome::Ok, 3)], "{app}: whoever was evicted lost no record");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_wake_one_app_load_it_once() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    fleet.deploy(&node, "acme/shop", "").await.unwrap();
    let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
    for round in 1..=40 {
        let requests = (0..24).map(|_| get(&node, "acme/shop", "/count"));
        for (status, text) in futures_util::future::join_all(requests).await {
            assert_eq!(status, 200, "round {round}: {text}");
        }
        assert_eq!(apps.cold.counts(), (round, 0));
        apps.forget(&"acme/shop".parse().unwrap());
    }
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_of_a_change_that_requests_do_not_find_yet() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    fleet.deploy(&node, "acme/shop", "").await.unwrap();
    assert_eq!(get(&node, "acme/shop", "/count").await.0, 200);
    let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
    let (tenant, app) = ("acme".parse().unwrap(), "shop".parse().unwrap());
    let remove = Remove { tenant, app, by: Actor::Node, at_us: 0, idempotency_key: None, expected_generation: None };
    let id: AppId = "acme/shop".parse().unwrap();
    let (changing, host) = (Arc::clone(apps), apps.host_of(&id));
    let changed = tokio::task::spawn_blocking(move || {
        changing.change(&id, |registry| {
            let number = registry.remove(&remove)?;
            let (is_found, is_told) = (changing.find(&host).is_some(), changing.telling().now_or_never().is_some());
            assert!(is_found && !is_told, "it is in the file, the old one answers, and nobody knows");
            Ok::<_, ChangeError>(number)
        })
    });
    changed.await.unwrap().unwrap();
    assert!(apps.telling().now_or_never().is_some());
    assert_eq!(get(&node, "acme/shop", "/count").await.0, 404);
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_revision_takes_over_without_a_lost_request() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    fleet.deploy(&node, "acme/shop", "").await.unwrap();
    let asking = async {
        for _ in 0..200 {
            assert_eq!(get(&node, "acme/shop", "/count").await.0, 200);
        }
    };
    let deploying = async {
        for memory in 20..25 {
            let more = format!("limit = {{ memory = \"{memory}MiB\" }}");
            fleet.deploy(&node, "acme/shop", &more).await.unwrap();
        }
    };
    futures_util::future::join(asking, deploying).await;
    node.drain().await;
    assert_eq!(fleet.records("acme/shop"), [(Outcome::Ok, 200)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotas_turn_away_and_budgets_survive_a_restart() {
    let fleet = Fleet::new(
        "[tenant.few]\nrequests_per_second = 1\n\
         [tenant.poor]\ncpu_per_day = \"40ms\"\n\
         [tenant.small]\nmemory = \"16MiB\"\n",
    );
    let node = fleet.start();
    for app in ["few/shop", "poor/shop", "rich/shop"] {
        fleet.deploy(&node, app, "").await.unwrap();
    }
    let refused = fleet.deploy(&node, "small/shop", "").await.unwrap_err();
    assert!(matches!(refused, DeployError::Memory(_)), "{refused}");
    assert_eq!(get(&node, "few/shop", "/count").await.0, 200);
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(get(&node, "few/shop", "/count").await);
    }
    assert!(statuses.iter().any(|(status, text)| *status == 429 && text.contains("retry-after")), "{statuses:?}");
    let (status, text) = get(&node, "poor/shop", "/spin").await;
    assert_eq!(status, 429, "it met the budget, not its own limit: {text}");
    assert_eq!(get(&node, "rich/shop", "/count").await.0, 200);
    node.drain().await;
    let node = fleet.start();
    // At the turn of the day the budget is whole again, and this would not hold; then it is run again.
    assert_eq!(get(&node, "poor/shop", "/spin").await.0, 429);
    assert_eq!(get(&node, "rich/shop", "/count").await.0, 200);
    node.drain().await;
    let spent = LedgerReader::open(fleet.data.path()).unwrap();
    let executed = spent.executed_since(&"poor".parse().unwrap(), None, Minute::FIRST).unwrap();
    assert!((1..=80_000).contains(&executed), "{executed} µs of two days at most");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_is_kept_with_instances_that_were_made_ahead() {
    let tenants = ["a", "b", "c", "d"];
    let budget: String = tenants.iter().map(|name| format!("[tenant.{name}]\ncpu_per_day = \"40ms\"\n")).collect();
    let fleet = Fleet::new(&budget);
    let node = fleet.start();
    for tenant in tenants {
        let app = format!("{tenant}/shop");
        fleet.deploy(&node, &app, "").await.unwrap();
        let mut answered = 0;
        while get(&node, &app, "/count").await.0 == 200 {
            answered += 1;
            assert!(answered < 40_000, "an invocation takes more than a microsecond");
        }
    }
    let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
    assert!(apps.workshop.warm.found_made() > 0, "none of any tenant was made ahead");
    node.drain().await;
    let spent = LedgerReader::open(fleet.data.path()).unwrap();
    for tenant in tenants {
        let executed = spent.executed_since(&tenant.parse().unwrap(), None, Minute::FIRST).unwrap();
        assert!((1..=80_000).contains(&executed), "{tenant}: {executed} µs of two days at most");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_ahead_goes_with_its_revision() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
    for more in ["", "limit = { memory = \"32MiB\" }", ""] {
        fleet.deploy(&node, "acme/shop", more).await.unwrap();
        while apps.workshop.warm.slots_held() > 0 {
            // Whoever was making one for the revision before lets go of it.
            tokio::task::yield_now().await;
        }
        while apps.workshop.warm.slots_held() == 0 {
            assert_eq!(get(&node, "acme/shop", "/count").await.0, 200);
        }
    }
    node.drain().await;
    assert_eq!(fleet.records("acme/shop").len(), 1, "all of them were answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_are_granted() {
    let fleet = Fleet::new("[tenant.acme]\nhosts = [\"shop.example\"]\n");
    let node = fleet.start();
    let source = fleet.component("hostile.wasm", "host");
    let manifest = |host: &str| {
        let text = format!(
            "manifest = 1\n[app]\nname = \"shop\"\n[component.main]\nsource = {source:?}\n\
             [[trigger.http]]\nroute = \"/*\"\nhost = {host:?}\ncomponent = \"main\"\n"
        );
        Manifest::parse(&text).unwrap()
    };
    let deploy = async |tenant: &str, host: &str| {
        let request = DeployRequest {
            tenant: tenant.parse().unwrap(),
            manifest: &manifest(host),
            base_dir: fleet.data.path(),
            idempotency_key: None,
            expected_generation: None,
        };
        node.deploy(request, |_step| {}).await
    };
    assert!(matches!(deploy("other", "shop.example").await, Err(DeployError::Host { .. })));
    assert!(matches!(deploy("acme", "www.example").await, Err(DeployError::Host { .. })));
    deploy("acme", "Shop.Example").await.unwrap();
    assert_eq!(get_at(&node, "shop.example", "/count").await.0, 200);
    assert_eq!(get_at(&node, "shop.acme.localhost", "/count").await.0, 404, "its only route names another host");
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_deploy_nobody_gets_what_was_there_before() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    let source = fleet.component("hostile.wasm", "turns");
    let deploy = async |number: u32| {
        let text = format!(
            "manifest = 1\n[app]\nname = \"shop\"\n[component.main]\nsource = {source:?}\n\
             [[trigger.http]]\nroute = \"/{number}/*\"\ncomponent = \"main\"\n"
        );
        let request = DeployRequest {
            tenant: "acme".parse().unwrap(),
            manifest: &Manifest::parse(&text).unwrap(),
            base_dir: fleet.data.path(),
            idempotency_key: None,
            expected_generation: None,
        };
        node.deploy(request, |_step| {}).await.unwrap();
    };
    deploy(0).await;
    let done = std::sync::atomic::AtomicBool::new(false);
    let waking = async {
        let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
        // Whatever it finds: each of these requests loads the app, which may change meanwhile.
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            apps.forget(&"acme/shop".parse().unwrap());
            get(&node, "acme/shop", "/0/count").await;
        }
    };
    let deploying = async {
        for number in 1..=60 {
            deploy(number).await;
            let (status, text) = get(&node, "acme/shop", &format!("/{number}/count")).await;
            assert_eq!(status, 200, "after deployment {number}: {text}");
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    futures_util::future::join(waking, deploying).await;
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_not_ended_while_its_quota_has_more() {
    let fleet = Fleet::new("[tenant.acme]\ncpu_per_day = \"10m\"\n");
    let node = fleet.start();
    fleet.deploy(&node, "acme/shop", "limit = { cpu = \"200ms\" }").await.unwrap();
    for _ in 0..8 {
        get(&node, "acme/shop", "/spin").await;
    }
    node.drain().await;
    assert_eq!(fleet.records("acme/shop"), [(Outcome::CpuLimit, 8)], "its own limit, and not the quota");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_could_never_be_loaded_is_not_deployed() {
    let fleet = Fleet::new("[tenant.small]\nloaded = \"64KiB\"\n");
    let node = fleet.start();
    let refused = fleet.deploy(&node, "small/shop", "").await.unwrap_err();
    assert!(matches!(refused, DeployError::Loaded { .. }), "{refused}");
    assert_eq!(get(&node, "small/shop", "/count").await.0, 404);
    fleet.deploy(&node, "other/shop", "").await.unwrap();
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_removes_what_nothing_is_made_of() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    for app in ["local/kept", "local/gone"] {
        fleet.deploy(&node, app, "").await.unwrap();
    }
    assert_eq!(node.sweep(u64::MAX).unwrap(), Swept::default(), "all of it is in use");
    let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
    let (tenant, app) = ("local".parse().unwrap(), "gone".parse().unwrap());
    let remove = Remove { tenant, app, by: Actor::Node, at_us: 0, idempotency_key: None, expected_generation: None };
    assert_eq!(get(&node, "local/gone", "/count").await.0, 200);
    apps.registry.remove(&remove).unwrap();
    apps.forget(&"local/gone".parse().unwrap());
    let arriving = apps.workshop.arrivals.read().await;
    assert!(matches!(node.sweep(u64::MAX), Err(SweepError::Busy)));
    drop(arriving);
    let swept = node.sweep(u64::MAX).unwrap();
    assert_eq!((swept.files, fleet.compiled().len(), node.sweep(u64::MAX).unwrap()), (2, 1, Swept::default()));
    assert_eq!((get(&node, "local/gone", "/count").await.0, get(&node, "local/kept", "/count").await.0), (404, 200));
    node.drain().await;
    // What is left is enough for the next process, and nothing is compiled again.
    let node = fleet.start();
    assert_eq!((get(&node, "local/kept", "/count").await.0, compile_nanos(&node)), (200, 0));
    node.drain().await;
}

/// Composed once, kept as one compiled file, and in use for as long as its revision is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_composed_outlives_the_process_and_the_sweep() {
    let fleet = Fleet::new("");
    let node = fleet.start();
    let text = format!(
        "manifest = 1\n[app]\nname = \"shop\"\n[component.front]\nsource = {:?}\n[component.front.link]\n\
         \"acme:auth/verify\" = \"auth\"\n[component.auth]\nsource = {:?}\n[component.auth.grant]\nkeyvalue = [\"users\"]\n\
         [[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n",
        guest("linked_front.wasm"),
        guest("linked_auth.wasm"),
    );
    fleet.deploy_text(&node, "local", &text).await.unwrap();
    let answer = get(&node, "local/shop", "/?token=token-of-ada").await.1;
    assert!(answer.contains("ada was here 1 times"), "{answer}");
    assert_eq!((fleet.compiled().len(), node.sweep(u64::MAX).unwrap()), (1, Swept::default()));
    node.drain().await;
    let node = fleet.start();
    let answer = get(&node, "local/shop", "/?token=token-of-ada").await.1;
    assert!(answer.contains("ada was here 2 times"), "{answer}");
    assert_eq!(compile_nanos(&node), 0);
    node.drain().await;
    // Should the file be lost, it is made again from what is kept of the members.
    fleet.compiled().into_iter().for_each(|file| std::fs::remove_file(file).unwrap());
    let node = fleet.start();
    let answer = get(&node, "local/shop", "/?own=keyvalue+users").await.1;
    assert!(answer.contains("Error::AccessDenied"), "{answer}");
    assert!(compile_nanos(&node) > 0);
    node.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_waited_goes_on_without_the_run_queue() {
    let fleet = Fleet::new("[limit]\nslice = \"100ms\"\n");
    // What is put into the queue stays there.
    let node = fleet.start_with(ServeOptions { threads: Some(0), ..ServeOptions::for_tests(fleet.data.path()) });
    fleet.deploy(&node, "acme/shop", "").await.unwrap();
    let mut stream = connect(&node).await;
    let head = "POST /echo HTTP/1.1\r\nhost: shop.acme.localhost\r\nconnection: close\r\ncontent-length: 4\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The guest has answered, and waits for a body.
    let begun = char::from(stream.read_u8().await.unwrap());
    stream.write_all(b"late").await.unwrap();
    let mut reply = begun.to_string();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.contains(" 200 ") && reply.ends_with("late\r\n0\r\n\r\n"), "{reply:?}");
}
