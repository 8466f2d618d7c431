//! What only a container in a folder can do wrong.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use cumulet_provider::blobstore::folder::open;
use cumulet_provider::blobstore::{ContainerError, OpenError};

use super::bodies::{all_names, files, read, whole};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_container_is_for_its_user_alone_and_outlives_its_handle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    let container = open(&path).unwrap();
    container.write("x".to_owned(), whole("1")).await.unwrap();
    for (place, expected) in
        [("", 0o700), ("objects", 0o700), ("staging", 0o700), ("objects/x", 0o600), ("../../a", 0o700)]
    {
        assert_eq!(mode(&path.join(place)), expected, "{place}");
    }
    let created = container.info().await.unwrap();
    drop(container);
    let container = open(&path).unwrap();
    assert_eq!(container.info().await.unwrap(), created);
    assert_eq!(read(&*container, "x").await.unwrap(), "1");
}

#[tokio::test]
async fn planted_links_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let path = folder.path().join("container");
    let container = open(&path).unwrap();
    symlink(&secret, path.join("objects/link")).unwrap();
    fs::create_dir(path.join("objects/folder")).unwrap();
    let pipe = path.join("objects/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();

    assert_eq!(all_names(&*container).await.0, Vec::<String>::new());
    for name in ["link", "folder", "pipe"] {
        assert_eq!(read(&*container, name).await, Err(ContainerError::Missing(name.to_owned())));
    }
    container.delete(vec!["folder".to_owned()]).await.unwrap();
    container.write("link".to_owned(), whole("mine")).await.unwrap();
    assert_eq!(read(&*container, "link").await.unwrap(), "mine");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");

    // The folder of objects itself, while the container is open and after.
    fs::rename(path.join("objects"), path.join("objects-moved")).unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), path.join("objects")).unwrap();
    container.write("late".to_owned(), whole("late")).await.unwrap();
    assert_eq!(files(&folder.path().join("elsewhere")), Vec::<String>::new());
    assert!(matches!(open(&path), Err(OpenError::Folder { .. })));
}

#[tokio::test]
async fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Foreign { .. })));
    assert_eq!(files(folder.path()), ["notes.txt"]);

    let path = folder.path().join("later");
    drop(open(&path).unwrap());
    fs::write(path.join("format"), "cumulet blobstore folder 2\n").unwrap();
    assert!(matches!(open(&path), Err(OpenError::Format { .. })));

    fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(open(&folder.path().join("file")), Err(OpenError::Folder { .. })));
}

#[test]
fn opening_removes_what_nobody_writes_any_more_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let container = open(folder.path()).unwrap();
    let staging = folder.path().join("staging");
    fs::write(staging.join("1-1"), "left behind").unwrap();
    let writing = File::create(staging.join("1-2")).unwrap();
    writing.lock().unwrap();
    drop(container);
    drop(open(folder.path()).unwrap());
    assert_eq!(files(&staging), ["1-2"]);
    drop(writing);
    drop(open(folder.path()).unwrap());
    assert_eq!(files(&staging), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_whose_making_was_interrupted_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    fs::rename(folder.path().join("format"), folder.path().join("staging/1-1")).unwrap();
    let container = open(folder.path()).unwrap();
    container.write("x".to_owned(), whole("1")).await.unwrap();
    assert_eq!(read(&*container, "x").await.unwrap(), "1");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_of_the_write() {
    let folder = tempfile::tempdir().unwrap();
    let container = open(folder.path()).unwrap();
    fs::remove_dir(folder.path().join("staging")).unwrap();
    let written = container.write("x".to_owned(), whole("1")).await;
    assert!(matches!(written, Err(ContainerError::Backend(_))), "{written:?}");
    assert_eq!(all_names(&*container).await.0, Vec::<String>::new());
}
