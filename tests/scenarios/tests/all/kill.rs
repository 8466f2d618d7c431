//! A node that is killed loses nothing that it acknowledged, whichever store it was written to.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::http1::Connection;
use cumulet_scenarios::paths;
use cumulet_scenarios::random::{self, Random};
use cumulet_scenarios::server::Server;

/// How often the node is killed, unless a variable says otherwise.
const KILLS: u32 = 12;
/// Writers at once.
const WRITERS: u32 = 3;
/// Acknowledged writes after which a kill may come.
const WRITES_MAX: u64 = 40;
const NO_PANIC: &str = "writers do not panic";
/// Old writes that are looked at after each kill, besides those of the last round.
const OLD_LOOKS: usize = 10;

/// A write, by its number; its value is the number, too.
#[derive(Clone, Copy, Debug)]
struct Write {
    store: &'static str,
    number: u32,
}

impl Write {
    fn path(self) -> String {
        let Self { store, number } = self;
        match store {
            "keyvalue" => format!("/a/keyvalue?bucket=default&do=set&key=k{number}&value=v{number}"),
            "blobstore" => format!("/a/blobstore?container=images&do=write&name=k{number}&value=v{number}"),
            _ => format!("/a/sqlite?database=default&value=v{number}&sql=insert+into+t+values(?)"),
        }
    }

    fn is_acknowledged_by(self, text: &str) -> bool {
        if self.store == "sqlite" { text.contains("changes 1") } else { text.contains("Ok(())") }
    }

    fn is_there(self, server: &Server) -> anyhow::Result<()> {
        let Self { store, number } = self;
        let path = match store {
            "keyvalue" => format!("/a/keyvalue?bucket=default&do=get&key=k{number}"),
            "blobstore" => format!("/a/blobstore?container=images&do=read&name=k{number}"),
            _ => format!("/a/sqlite?database=default&value=v{number}&sql=select+v+from+t+where+v=?"),
        };
        let text = server.get(&path, &[])?.text();
        ensure!(text.contains(&format!("\"v{number}\"")), "{self:?} was acknowledged and is gone: {text}");
        Ok(())
    }
}

/// Writes until the connection breaks, and notes what was acknowledged.
fn write(server: &Server, number: &AtomicU32, noted: &Mutex<Vec<Write>>, more: &Condvar) {
    let Ok(mut connection) = Connection::open(server.address) else { return };
    for store in ["keyvalue", "blobstore", "sqlite"].into_iter().cycle() {
        let write = Write { store, number: number.fetch_add(1, Ordering::Relaxed) };
        let sent = connection.request("GET", &write.path(), &[]);
        let Ok(reply) = sent.and_then(|()| connection.reply("GET")) else { return };
        if write.is_acknowledged_by(&reply.text()) {
            noted.lock().expect(NO_PANIC).push(write);
            more.notify_one();
        }
    }
}

/// One round: what is there is there, some more is written, and in the middle of that the node is killed.
fn round(
    folder: &Path,
    before: &[Write],
    last: &[Write],
    (random, number): (&mut Random, &AtomicU32),
) -> anyhow::Result<Vec<Write>> {
    let grant = "keyvalue = [\"default\"]\nblobstore = [\"images\"]\nsqlite = [\"default\"]";
    let manifest = paths::manifest(folder, &[("a", "stores.wasm", grant)])?;
    let observed = format!("--observe={}", folder.join("observed.toml").display());
    let options = [observed.as_str()];
    let server = Server::up_in(&folder.join("data"), &manifest, &options, &[])?;
    for write in last {
        write.is_there(&server)?;
    }
    for _ in 0..OLD_LOOKS.min(before.len()) {
        let place = usize::try_from(random.below(before.len() as u64))?;
        before.get(place).context("a place below the length")?.is_there(&server)?;
    }
    let create = "/a/sqlite?database=default&sql=create+table+if+not+exists+t(v)%3B%3Bpragma+user_version";
    ensure!(server.get(create, &[])?.text().contains("done"));
    let (noted, more) = (Mutex::new(Vec::new()), Condvar::new());
    let wanted = usize::try_from(1 + random.below(WRITES_MAX))?;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for _ in 0..WRITERS {
            scope.spawn(|| write(&server, number, &noted, &more));
        }
        let enough = more.wait_while(noted.lock().expect(NO_PANIC), |noted| noted.len() < wanted).expect(NO_PANIC);
        drop(enough);
        server.kill_now()
    })?;
    Ok(noted.into_inner().expect(NO_PANIC))
}

#[test]
fn a_killed_node_loses_nothing_that_it_acknowledged() -> anyhow::Result<()> {
    let kills = random::kills(KILLS);
    let seed = random::seed();
    println!("seed {seed}, {kills} kills");
    let folder = tempfile::tempdir()?;
    let (mut random, number) = (Random::new(seed), AtomicU32::new(0));
    let (mut before, mut last) = (Vec::new(), Vec::new());
    for kill in 0..kills {
        let noted = round(folder.path(), &before, &last, (&mut random, &number))
            .with_context(|| format!("seed {seed}, after {kill} kills"))?;
        before.append(&mut last);
        last = noted;
    }
    println!("{} acknowledged writes, all there", before.len() + last.len());
    Ok(())
}
