//! When a process begins, whom it serves, and when it ends.

use super::bomb::bomb;
use super::{SMALL, fingerprints, pool, settings, tenant, this_program};
use crate::clock;
use crate::compiler::frame::{Kind, Prefix, class_code, hello};
use crate::compiler::{CompileFailure, CompilerSettings, Pool};
use cumulet_engine::EngineClass;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Compiles for each of these tenants in turn and returns the processes that did.
async fn processes(pool: &Pool, tenants: &[&str]) -> Vec<u32> {
    let mut processes = Vec::new();
    for name in tenants {
        pool.compile(&tenant(name), EngineClass::Plain, SMALL).await.unwrap();
        processes.extend(pool.idle_processes());
    }
    processes
}

fn kill(process: u32) {
    let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    kill_process(process, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_process_serves_one_tenant() {
    let pool = pool(settings());
    let seen = processes(&pool, &["a", "a", "b", "a"]).await;
    let [first, again, other, back] = seen[..] else { panic!("{seen:?}") };
    assert_eq!(first, again);
    assert!(other != again && back != other, "{seen:?}");
}

#[tokio::test]
async fn a_process_is_recycled() {
    let pool = pool(CompilerSettings { compilations_max: 2, ..settings() });
    let mut seen = processes(&pool, &["a", "a", "a", "a", "a"]).await;
    assert_eq!(seen.len(), 3, "after the second and the fourth none is left: {seen:?}");
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[tokio::test]
async fn a_process_without_work_is_ended() {
    let pool = pool(CompilerSettings { idle: Duration::from_secs(3_600), ..settings() });
    assert_eq!(processes(&pool, &["a"]).await.len(), 1);
    pool.end_idle(clock::now());
    assert_eq!(pool.idle_processes().len(), 1);
    pool.end_idle(clock::now() + Duration::from_secs(3_600));
    assert!(pool.idle_processes().is_empty());
}

#[tokio::test]
async fn a_kill_from_outside_is_one_error() {
    let pool = pool(settings());
    let process = processes(&pool, &["a"]).await[0];
    let (owner, component) = (tenant("a"), bomb(3_000, 3_000));
    let killed = async {
        // The process is no longer idle once it has work.
        while !pool.idle_processes().is_empty() {
            tokio::task::yield_now().await;
        }
        kill(process);
    };
    let (failure, ()) = tokio::join!(pool.compile(&owner, EngineClass::Plain, &component), killed);
    let failure = failure.unwrap_err();
    assert!(matches!(failure, CompileFailure::Killed), "{failure:?}");
    assert!(failure.retry());
    assert_ne!(processes(&pool, &["a"]).await, [process]);
}

#[tokio::test]
async fn a_process_that_died_in_its_sleep_is_replaced() {
    let pool = pool(settings());
    let process = processes(&pool, &["a"]).await[0];
    kill(process);
    // All of its threads are gone once it can be waited for.
    let ended = WaitId::Pid(Pid::from_raw(i32::try_from(process).unwrap()).unwrap());
    waitid(ended, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    assert_ne!(processes(&pool, &["a"]).await, [process]);
}

#[tokio::test]
async fn a_compilation_that_is_given_up_frees_its_place() {
    let pool = pool(settings());
    let component = bomb(3_000, 3_000);
    let (greedy, other) = (tenant("a"), tenant("b"));
    let given_up = pool.compile(&greedy, EngineClass::Plain, &component);
    assert!(tokio::time::timeout(Duration::from_millis(1), given_up).await.is_err());
    pool.compile(&other, EngineClass::Plain, SMALL).await.unwrap();
}

#[tokio::test]
async fn tenants_take_turns_and_lines_are_bounded() {
    let pool = pool(CompilerSettings { waiting_max: 2, ..settings() });
    let done = parking_lot::Mutex::new(Vec::new());
    let compile = async |name: &'static str| {
        let ended = pool.compile(&tenant(name), EngineClass::Plain, SMALL).await;
        done.lock().push(match ended {
            Ok(_) => name,
            Err(CompileFailure::Busy(2)) => "busy",
            Err(failure) => panic!("{failure:?}"),
        });
    };
    // The futures are polled in this order: the first has the place, two of `a` and one of `b` wait.
    tokio::join!(compile("a"), compile("a"), compile("a"), compile("a"), compile("b"));
    assert_eq!(*done.lock(), ["busy", "a", "a", "b", "a"]);
}

#[tokio::test]
async fn waiting_ends() {
    let pool = pool(CompilerSettings { waiting_time: Duration::from_millis(1), ..settings() });
    let component = bomb(3_000, 3_000);
    let (greedy, other) = (tenant("a"), tenant("b"));
    let long = pool.compile(&greedy, EngineClass::Plain, &component);
    tokio::select! {
        biased;
        ended = long => panic!("{ended:?}"),
        waited = pool.compile(&other, EngineClass::Plain, SMALL) => {
            assert!(matches!(waited, Err(CompileFailure::Waited(_))), "{waited:?}");
        }
    }
}

/// The ends of the pipes to a process are all that a dying node leaves behind.
#[test]
fn a_process_ends_with_its_node() {
    let component = bomb(3_000, 3_000);
    let program = this_program();
    let mut child = Command::new(&program.path)
        .args(&program.args)
        .args(settings().limits.to_args())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let content = hello(&fingerprints());
    input.write_all(&Prefix::new(Kind::Hello, content.len()).unwrap().encode()).unwrap();
    input.write_all(&content).unwrap();
    let mut ready = [0; 6];
    output.read_exact(&mut ready).unwrap();
    assert_eq!(Prefix::decode(ready).unwrap().kind, Kind::Ready);
    input.write_all(&Prefix::new(Kind::Compile, component.len() + 1).unwrap().encode()).unwrap();
    input.write_all(&[class_code(EngineClass::Plain)]).unwrap();
    input.write_all(&component).unwrap();
    drop(input);
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "it did not wait until the component was compiled");
    assert!(child.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_has_given_up_what_it_does_not_need() {
    let pool = pool(settings());
    let process = processes(&pool, &["a"]).await[0];
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
    let limits: String = read("limits").split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "Max data size 1073741824 1073741824",
        "Max core file size 0 0",
        "Max file size 0 0",
        "Max open files 3 3",
        "Max processes 0 0",
    ] {
        assert!(limits.contains(line), "{line}: {limits}");
    }
    // What is given up by thread is inherited by the one that reads; the first one here belongs to the test.
    let of_thread = |name: &str, file: &str| {
        let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: &PathBuf| std::fs::read_to_string(path.join("comm")).unwrap() == format!("{name}\n");
        threads.into_iter().find(named).map(|thread| std::fs::read_to_string(thread.join(file)).unwrap())
    };
    let nice_of = |stat: String| stat.rsplit(") ").next().unwrap().split(' ').nth(16).unwrap().parse::<i32>().unwrap();
    let nice = |name| of_thread(name, "stat").map(nice_of);
    // Whoever runs the tests may have been nice already.
    let ours = nice_of(std::fs::read_to_string("/proc/self/stat").unwrap());
    let nicer = |by: i32| (ours + by).min(19);
    assert!(of_thread("requests", "status").unwrap().contains("NoNewPrivs:\t1"));
    assert_eq!(nice("requests"), Some(nicer(5)));
    // Where there is one core there is no second thread. One that has nothing to do yet may not have begun.
    let second = nice("compiler-1");
    assert!(second.is_none_or(|nice| nice == nicer(5) || nice == nicer(10)), "{second:?}");
    let environment = read("environ");
    assert!(!environment.contains("PATH="), "{environment}");
}
