//! Memory does not grow with the size of an object.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Stdio;

use bytes::Bytes;
use cumulet_provider::blobstore;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::child::{command, setting};
use super::server::Server;

const CHILD: &str = "all::blobstore::memory::one_large_object";
const OBJECT_BYTES: u64 = 128 << 20;
/// Two parts of an upload, with what the client keeps of them.
const GROWTH_KIB_MAX: u64 = 40 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_takes_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    for place in [folder.path().to_str().unwrap(), &server.url("")] {
        let mut child = command(CHILD);
        child.env("CUMULET_PLACE", place).stderr(Stdio::inherit());
        let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let growth_kib = output.lines().find_map(|line| line.split_once("grown ")).map(|(_, kib)| kib.parse::<u64>());
        let growth_kib = growth_kib.unwrap_or_else(|| panic!("{output}")).unwrap();
        println!("{OBJECT_BYTES} bytes written and read: {growth_kib} KiB more at the peak");
        assert!(growth_kib < GROWTH_KIB_MAX, "{growth_kib} KiB");
    }
}

/// The part of the child; nothing in the run of all tests.
#[tokio::test]
async fn one_large_object() {
    const CHUNK: usize = 64 << 10;
    let Some(place) = setting("CUMULET_PLACE") else {
        return;
    };
    let container = if place.starts_with("s3:") {
        blobstore::s3::open(&place).unwrap()
    } else {
        blobstore::folder::open(Path::new(&place)).unwrap()
    };
    container.write("warm".to_owned(), stream::iter([Ok(Bytes::from_static(b"up"))]).boxed()).await.unwrap();

    let before = peak_kib();
    let chunks = stream::iter(0..OBJECT_BYTES / CHUNK as u64).map(|_| Ok(Bytes::from(vec![7; CHUNK])));
    container.write("large".to_owned(), chunks.boxed()).await.unwrap();
    let mut reading = container.read("large".to_owned(), 0, u64::MAX).await.unwrap();
    let mut read = 0;
    while let Some(chunk) = reading.chunks.try_next().await.unwrap() {
        read += chunk.len() as u64;
    }
    assert_eq!(read, OBJECT_BYTES);
    println!("grown {}", peak_kib() - before);
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
