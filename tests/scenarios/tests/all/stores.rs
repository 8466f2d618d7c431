//! Stores through a guest: what is granted works as its interface says, what is not is denied with the interface's own error.

use std::path::Path;

use anyhow::ensure;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;
use cumulet_servers::{Kind, Server as Backend};

const ALL: &str = "keyvalue = [\"default\", \"second\"]\nblobstore = [\"images\"]\nsqlite = [\"default\"]";

/// Serves `a`, which is granted `grant`, and `b`, which is granted nothing. Without its grants a component would not
/// start: what it meets then is seen with `--observe`.
fn served(folder: &Path, grant: &str) -> anyhow::Result<Server> {
    let manifest = paths::manifest(folder, &[("a", "stores.wasm", grant), ("b", "stores.wasm", "")])?;
    let observed = format!("--observe={}", folder.join("observed.toml").display());
    Server::up_in(&folder.join("data"), &manifest, &[observed.as_str()], &[])
}

fn get(server: &Server, path: &str) -> anyhow::Result<String> {
    let reply = server.get(path, &[])?;
    ensure!(reply.status() == 200, "{path}: {reply:?}");
    Ok(reply.text())
}

#[test]
fn every_call_of_the_embedded_stores() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), ALL)?;
    insta::assert_snapshot!("keyvalue", get(&server, "/a/keyvalue?bucket=default")?);
    insta::assert_snapshot!("blobstore", get(&server, "/a/blobstore?container=images")?);
    let sql = "create table t(id integer primary key, v)%3B%3Binsert into t(v) values(?)%3B%3Bselect id, v, 1.5, \
               null, x'0102' from t%3B%3Bselect * from missing";
    let sql = sql.replace(' ', "+");
    insta::assert_snapshot!("sqlite", get(&server, &format!("/a/sqlite?database=default&value=Ada&sql={sql}"))?);
    // One bucket knows nothing of another.
    ensure!(get(&server, "/a/keyvalue?bucket=default&do=set&key=k&value=v")?.contains("Ok"));
    ensure!(get(&server, "/a/keyvalue?bucket=second&do=get&key=k")? == "get Ok(None)\n");
    server.stop()
}

/// What stands behind a name makes no difference to the guest: the same calls give the same answers.
#[test]
fn a_bound_server_answers_like_the_embedded_store() -> anyhow::Result<()> {
    for kind in [Kind::Redis, Kind::Nats] {
        let Some(backend) = Backend::start(kind)? else {
            kind.left_out("a bucket on this server, through a guest")?;
            continue;
        };
        let folder = tempfile::tempdir()?;
        let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", ALL)])?;
        let observed = format!("--observe={}", folder.path().join("observed.toml").display());
        let bind = "keyvalue.default=env:STORE_URL";
        let options = ["--bind", bind, observed.as_str()];
        let server = Server::up_where(&manifest, &options, &[("STORE_URL", &backend.url())])?;
        insta::assert_snapshot!("keyvalue", get(&server, "/a/keyvalue?bucket=default")?);
        // Gone is an error, and no trap.
        drop(backend);
        let text = get(&server, "/a/keyvalue?bucket=default&do=get&key=a")?;
        ensure!(text.contains("Error::Other"), "{kind:?}: {text}");
        server.stop()?;
    }
    Ok(())
}

#[test]
fn a_bound_database_answers_under_its_granted_name() -> anyhow::Result<()> {
    let Some(backend) = Backend::start(Kind::Postgres)? else {
        return Kind::Postgres.left_out("a PostgreSQL database, through a guest");
    };
    let folder = tempfile::tempdir()?;
    let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", "postgres = [\"main\"]")])?;
    let bind = format!("postgres.main={}", backend.url());
    let observed = format!("--observe={}", folder.path().join("observed.toml").display());
    let options = ["--bind", bind.as_str(), observed.as_str()];
    let server = Server::up(&manifest, &options)?;
    let sql = "create table t(id serial, v text)%3B%3Binsert into t(v) values($1) returning id, v%3B%3B\
               select 1::int2, 2::int8, 1.5::float8, true, null::text, '2024-02-29'::date, 12.30::numeric, \
               '{1,null}'::int4[], '[1,5)'::int4range, '1 day'::interval%3B%3Bselect * from missing";
    let sql = sql.split_whitespace().collect::<Vec<_>>().join("+");
    insta::assert_snapshot!("postgres", get(&server, &format!("/a/postgres?database=main&value=Ada&sql={sql}"))?);
    let stderr = server.stderr.clone();
    server.stop()?;
    ensure!(!stderr.lines().iter().any(|line| line.contains("postgres://")), "the address was printed");
    Ok(())
}

#[test]
fn without_a_grant_each_store_says_so() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), ALL)?;
    for (path, expected) in [
        ("/b/keyvalue?bucket=default", "open Error::AccessDenied\n"),
        ("/a/keyvalue?bucket=third", "open Error::AccessDenied\n"),
        ("/a/keyvalue?bucket=../default", "open Error::AccessDenied\n"),
        ("/a/keyvalue?bucket=", "open Error::AccessDenied\n"),
        ("/b/sqlite?database=default", "open Error::AccessDenied\n"),
        ("/a/sqlite?database=other", "open Error::AccessDenied\n"),
        ("/a/sqlite?database=/etc/passwd", "open Error::AccessDenied\n"),
        ("/b/blobstore?container=images", "get-container access denied: the container \"images\" is not granted\n"),
        ("/a/postgres?database=main", "open Error::ConnectionFailed(\"access denied\")\n"),
        ("/a/postgres?database=postgres://localhost/", "open Error::ConnectionFailed(\"access denied\")\n"),
    ] {
        let text = get(&server, path)?;
        ensure!(text == expected, "{path}: {text:?}");
    }
    ensure!(get(&server, "/a/blobstore?container=images&do=write&name=a&value=mine")?.contains("Ok"));
    let ways = get(&server, "/a/blobstore?container=images&do=denied&other=secrets")?;
    for line in ways.lines() {
        ensure!(line.contains("access denied") || line.contains("refused"), "{ways}");
    }
    ensure!(get(&server, "/a/blobstore?container=images&do=read&name=a")? == "read Ok(\"mine\")\n");
    server.stop()
}

#[test]
fn what_a_store_cannot_take_is_an_error_and_not_a_trap() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), ALL)?;
    for (path, expected) in [
        ("/a/keyvalue?bucket=default&do=large&key=k&size=2000000", "at most"),
        ("/a/keyvalue?bucket=default&do=set&key=&value=v", "a key must have"),
        ("/a/keyvalue?bucket=default&do=keys", "keys Ok([])"),
        ("/a/sqlite?database=default&sql=attach+'x.db'+as+x", "error io"),
        ("/a/sqlite?database=default&sql=vacuum+into+'x.db'", "error io"),
        ("/a/sqlite?database=default&sql=pragma+journal_mode=off", "error io"),
        ("/a/sqlite?database=default&sql=select+load_extension('x')", "error io"),
        ("/a/blobstore?container=images&do=give-up&name=half", "given up"),
        ("/a/blobstore?container=images&do=size&name=half", "Err"),
        ("/a/blobstore?container=images&do=large&name=big&size=20000000", "write Ok(())"),
        ("/a/blobstore?container=images&do=size&name=big", "size Ok(20000000)"),
    ] {
        let text = get(&server, path)?;
        ensure!(text.contains(expected), "{path}: {text:?}");
    }
    server.stop()
}

/// What the host holds for guests is bounded for each component, and comes back when they end.
#[test]
fn a_guest_that_hoards_bodies_waits_for_itself() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let limited = format!("{ALL}\n[component.a.limit]\ntime = \"1s\"");
    let components = [("a", "stores.wasm", limited.as_str()), ("b", "stores.wasm", ALL)];
    let manifest = paths::manifest(folder.path(), &components)?;
    let observed = format!("--observe={}", folder.path().join("observed.toml").display());
    let server = Server::up(&manifest, &[observed.as_str()])?;
    ensure!(get(&server, "/a/blobstore?container=images&do=hoard&count=200")? == "hoarded 200\n");
    let reply = server.get("/a/blobstore?container=images&do=hoard&count=300", &["x-request-id: hoard-1"])?;
    ensure!(reply.status() == 504, "{reply:?}");
    ensure!(server.outcome("hoard-1")? == "deadline");
    for component in ["a", "b"] {
        let text = get(&server, &format!("/{component}/blobstore?container=images&do=write&name=x&value=y"))?;
        ensure!(text == "write Ok(())\n", "{component}: {text}");
    }
    server.stop()
}

#[test]
fn what_traffic_needed_is_written_for_a_person_to_accept() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "keyvalue = [\"default\"]\nsqlite = [\"default\"]\nenv = { A = \"1\" }")?;
    get(&server, "/a/keyvalue?bucket=default&do=get&key=k")?;
    get(&server, "/a/keyvalue?bucket=default&do=get&key=k")?;
    get(&server, "/a/keyvalue?bucket=other&do=get&key=k")?;
    get(&server, "/a/config?key=greeting")?;
    get(&server, "/b/blobstore?container=images")?;
    server.stop()?;
    insta::assert_snapshot!("observed", std::fs::read_to_string(folder.path().join("observed.toml"))?);
    Ok(())
}
