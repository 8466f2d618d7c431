//! What a container does, the same on every backend.

use std::time::Duration;

use bytes::Bytes;
use cumulet_provider::blobstore::{ContainerError, ContainerInfo, NAME_BYTES_MAX, PAGE_NAMES_MAX};
use futures_util::{StreamExt as _, stream};

use super::backend::{Backend, SMALL_BYTES_MAX};
use super::bodies::{all_names, body, broken, noise, part, read, stalled, whole};

/// One test of each behaviour on each backend.
macro_rules! on_every_backend {
    ($($behaviour:ident),+ $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(&super::Backend::folder()).await;
            })+
        }
        mod s3 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(&super::Backend::s3().await).await;
            })+
        }
    };
}

on_every_backend![
    an_object_is_read_as_it_was_written_and_replaced,
    an_object_can_be_empty,
    a_large_object_is_streamed,
    parts_are_read,
    odd_names_are_kept,
    names_that_cannot_be_are_refused,
    names_are_listed_in_the_order_of_their_bytes,
    deleted_objects_are_gone,
    a_body_that_breaks_off_leaves_the_old_object,
    a_write_that_is_dropped_leaves_the_old_object,
    an_object_that_is_too_large_is_refused,
    readers_see_one_of_the_writers_whole,
];

/// A body of one part of an upload, and one of more.
const SIZES: [usize; 2] = [1_000, (5 << 20) + 1_000];

async fn an_object_is_read_as_it_was_written_and_replaced(backend: &Backend) {
    let container = &*backend.container;
    for (seed, size) in [(1, 1), (2, 100_000), (3, 5 << 20), (4, (10 << 20) + 1), (5, 3)] {
        let bytes = noise(seed, size);
        container.write("object".to_owned(), body(bytes.clone(), 10_007)).await.unwrap();
        assert!(read(container, "object").await.unwrap() == bytes, "{size} bytes differ");
        let info = container.object("object".to_owned()).await.unwrap();
        assert_eq!(info.size, size as u64);
        assert!(info.created_at_s > 1_700_000_000, "{info:?}");
    }
    let missing = || ContainerError::Missing("none".to_owned());
    assert_eq!(read(container, "none").await, Err(missing()));
    assert_eq!(part(container, "none", 3, 4).await, Err(missing()));
    assert_eq!(container.object("none".to_owned()).await, Err(missing()));
    let ContainerInfo { created_at_s } = container.info().await.unwrap();
    assert!(created_at_s == 0 || created_at_s > 1_700_000_000, "{created_at_s}");
}

async fn an_object_can_be_empty(backend: &Backend) {
    let container = &*backend.container;
    let no_chunks = whole(Bytes::new());
    let empty_chunks = stream::iter(vec![Ok(Bytes::new()), Ok(Bytes::new())]).boxed();
    for body in [no_chunks, empty_chunks] {
        container.write("empty".to_owned(), body).await.unwrap();
        assert_eq!(read(container, "empty").await.unwrap(), Bytes::new());
        assert_eq!(part(container, "empty", 0, 5).await.unwrap(), Bytes::new());
        assert_eq!(part(container, "empty", 1, 5).await, Err(ContainerError::Range));
        assert_eq!(container.object("empty".to_owned()).await.unwrap().size, 0);
        container.delete(vec!["empty".to_owned()]).await.unwrap();
    }
}

async fn a_large_object_is_streamed(backend: &Backend) {
    let bytes = noise(20, 20 << 20);
    backend.container.write("large".to_owned(), body(bytes.clone(), 100_003)).await.unwrap();
    assert!(read(&*backend.container, "large").await.unwrap() == bytes);
    backend.wait_until_tidy().await;
}

async fn parts_are_read(backend: &Backend) {
    let container = &*backend.container;
    let bytes = noise(30, 1_000_000);
    let end = bytes.len() as u64 - 1;
    container.write("parts".to_owned(), whole(bytes.clone())).await.unwrap();
    for (first, last) in [
        (0, 0),
        (0, 9),
        (0, end),
        (0, end + 1),
        (1, u64::MAX),
        (65_536, 65_536 + 65_535),
        (500_000, 900_000),
        (end, end),
        (end, u64::MAX - 1),
    ] {
        let expected = bytes.slice(usize::try_from(first).unwrap()..=usize::try_from(last.min(end)).unwrap());
        assert!(part(container, "parts", first, last).await.unwrap() == expected, "{first} to {last}");
    }
    for (first, last) in [(end + 1, end + 1), (end + 1, u64::MAX), (u64::MAX, u64::MAX), (5, 4)] {
        assert_eq!(part(container, "parts", first, last).await, Err(ContainerError::Range), "{first} to {last}");
    }
}

async fn odd_names_are_kept(backend: &Backend) {
    let container = &*backend.container;
    let mut names: Vec<String> = [
        "dir/file",
        "dir/deep/er",
        " space around ",
        "dot.",
        ".hidden",
        "...",
        "~tilde",
        "%2e%2e",
        "%",
        "a+b",
        "a&b=c?d#e",
        "<xml>&amp;\"'",
        "back\\slash",
        "ünicode",
        "u\u{308}nicode",
        "日本語",
        "😀",
        "a:b",
        "*",
        "[x]{y}|z^`",
        "format",
        "staging",
        "c\u{85}1",
        "\u{a0}",
        "-",
        "_",
        "@",
        "$",
        "tail ",
        "!",
    ]
    .map(str::to_owned)
    .into();
    if backend.keeps_every_name() {
        names.extend(["dir", "dir/deep", "!/!"].map(str::to_owned));
        names.extend([255, 256, NAME_BYTES_MAX].map(|length| "n".repeat(length)));
        names.push("é".repeat(NAME_BYTES_MAX / 2));
        names.push("long/".repeat(200));
        let last = names.last_mut().unwrap();
        last.push('x');
    }
    for (seed, name) in (0..).zip(&names) {
        container
            .write(name.clone(), whole(noise(seed, 100)))
            .await
            .unwrap_or_else(|error| panic!("{name:?}: {error}"));
    }
    for (seed, name) in (0..).zip(&names) {
        assert_eq!(read(container, name).await.unwrap(), noise(seed, 100), "{name:?}");
        assert_eq!(part(container, name, 10, 19).await.unwrap(), noise(seed, 100).slice(10..20), "{name:?}");
        assert_eq!(container.object(name.clone()).await.unwrap().size, 100, "{name:?}");
    }
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(all_names(container).await.0, sorted);
    container.delete(names).await.unwrap();
    assert_eq!(all_names(container).await.0, Vec::<String>::new());
}

async fn names_that_cannot_be_are_refused(backend: &Backend) {
    let container = &*backend.container;
    let too_long = "n".repeat(NAME_BYTES_MAX + 1);
    let names = [
        "",
        ".",
        "..",
        "../up",
        "a/../../b",
        "/absolute",
        "a/",
        "a//b",
        "a/./b",
        "nul\0",
        "a\nb",
        "\u{ffff}",
        &too_long,
    ];
    for name in names {
        let refusals = [
            container.write(name.to_owned(), whole("x")).await,
            read(container, name).await.map(drop),
            container.object(name.to_owned()).await.map(drop),
            container.delete(vec!["fine".to_owned(), name.to_owned()]).await,
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Err(ContainerError::Name(_))), "{name:?}: {refusal:?}");
        }
    }
    assert!(matches!(container.list(Some(too_long)).await, Err(ContainerError::Name(_))));
    assert_eq!(all_names(container).await.0, Vec::<String>::new());
}

async fn names_are_listed_in_the_order_of_their_bytes(backend: &Backend) {
    let container = &*backend.container;
    let count = 2 * PAGE_NAMES_MAX + 300;
    let mut names: Vec<String> =
        (0..count).map(|n| format!("{}/{:x}", ["é", "B", "a", "a b"][n % 4], n * 7919)).collect();
    stream::iter(names.clone())
        .for_each_concurrent(64, |name| async move { container.write(name, whole("x")).await.unwrap() })
        .await;
    names.sort_unstable();
    assert_eq!(all_names(container).await, (names.clone(), 3));

    let page = container.list(Some(names[count - 2].clone())).await.unwrap();
    assert_eq!((page.names, page.more), (vec![names[count - 1].clone()], false));
    let page = container.list(Some("a ".to_owned())).await.unwrap();
    assert_eq!(page.names[0], *names.iter().find(|name| name.as_str() > "a ").unwrap());
    let page = container.list(Some("\u{10ffff}".to_owned())).await.unwrap();
    assert_eq!((page.names, page.more), (vec![], false));

    container.delete(names.split_off(PAGE_NAMES_MAX)).await.unwrap();
    assert_eq!(all_names(container).await, (names, 1));
}

async fn deleted_objects_are_gone(backend: &Backend) {
    let container = &*backend.container;
    for name in ["a", "b", "c"] {
        container.write(name.to_owned(), whole(name)).await.unwrap();
    }
    container.delete(["a", "none", "c"].map(str::to_owned).into()).await.unwrap();
    container.delete(Vec::new()).await.unwrap();
    assert_eq!(all_names(container).await.0, ["b"]);
    assert_eq!(read(container, "a").await, Err(ContainerError::Missing("a".to_owned())));
    container.write("a".to_owned(), whole("again")).await.unwrap();
    assert_eq!(read(container, "a").await.unwrap(), "again");
}

async fn a_body_that_breaks_off_leaves_the_old_object(backend: &Backend) {
    let container = &*backend.container;
    container.write("old".to_owned(), whole("old")).await.unwrap();
    for size in SIZES {
        for name in ["old", "new"] {
            let written = container.write(name.to_owned(), broken(noise(1, size))).await;
            assert_eq!(written, Err(ContainerError::Broken), "{name}, {size} bytes");
        }
    }
    assert_eq!(read(container, "old").await.unwrap(), "old");
    assert_eq!(all_names(container).await.0, ["old"]);
    backend.wait_until_tidy().await;
}

async fn a_write_that_is_dropped_leaves_the_old_object(backend: &Backend) {
    let container = &*backend.container;
    container.write("old".to_owned(), whole("old")).await.unwrap();
    for size in SIZES {
        for name in ["old", "new"] {
            let write = container.write(name.to_owned(), stalled(noise(1, size)));
            tokio::time::timeout(Duration::from_millis(300), write).await.unwrap_err();
        }
    }
    assert_eq!(read(container, "old").await.unwrap(), "old");
    assert_eq!(all_names(container).await.0, ["old"]);
    backend.wait_until_tidy().await;
}

async fn an_object_that_is_too_large_is_refused(backend: &Backend) {
    let small = &*backend.small;
    let max = SMALL_BYTES_MAX;
    let fits = noise(1, usize::try_from(max).unwrap());
    small.write("object".to_owned(), whole(fits.clone())).await.unwrap();
    for extra in [1, 5 << 20] {
        let body = whole(noise(2, usize::try_from(max).unwrap() + extra));
        let written = small.write("object".to_owned(), body).await;
        assert_eq!(written, Err(ContainerError::TooLarge { max }));
    }
    assert!(read(small, "object").await.unwrap() == fits);
    backend.wait_until_tidy().await;
}

async fn readers_see_one_of_the_writers_whole(backend: &Backend) {
    const WRITERS: u64 = 4;
    let container = &*backend.container;
    let versions: Vec<Bytes> = (0..WRITERS).map(|seed| noise(seed, 300_000)).collect();
    container.write("shared".to_owned(), whole(versions[0].clone())).await.unwrap();
    let writes = stream::iter(0..40_usize).for_each_concurrent(4, |n| {
        let version = versions[n % versions.len()].clone();
        async move { container.write("shared".to_owned(), whole(version)).await.unwrap() }
    });
    let reads = async {
        for _ in 0..40 {
            let seen = read(container, "shared").await.unwrap();
            assert!(versions.contains(&seen), "{} bytes of no version", seen.len());
        }
    };
    tokio::join!(writes, reads);
}
