//! Those who follow a log miss nothing, and are told what is gone.

use super::*;
use crate::logs::followers::FOLLOWED_MAX;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_and_misses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    let logs = desk.logs.clone();
    let reader = tokio::spawn(async move {
        let mut query = LogQuery { limit: 7, ..LogQuery::all(app("shop")) };
        let mut seen = Vec::new();
        while seen.len() < 3_000 {
            logs.wait(&app("shop"), query.after).await;
            let page = logs.reader().read(&query).unwrap();
            assert!(!page.is_gap && page.notes.is_empty(), "{page:?}");
            seen.extend(texts(&page));
            query.after = page.cursor;
        }
        seen
    });
    let writer = tokio::task::spawn_blocking(move || {
        for line in 0..3_000 {
            desk.print("shop", line, &format!("line {line}"));
            if line % 11 == 0 {
                desk.flush();
            }
        }
        desk.flush();
        desk
    });
    let expected: Vec<String> = (0..3_000).map(|line| format!("line {line}")).collect();
    assert_eq!(reader.await.unwrap(), expected);
    drop(writer.await.unwrap());
}

#[tokio::test]
async fn what_is_there_already_is_not_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    desk.print("shop", 0, "there");
    desk.flush();
    desk.logs.wait(&app("shop"), None).await;
    let end = all(data.path(), "shop").cursor;
    let (logs, shop) = (desk.logs.clone(), app("shop"));
    let waits = logs.wait(&shop, end);
    tokio::pin!(waits);
    assert!(futures_util::poll!(waits.as_mut()).is_pending());
    desk.print("shop", 1, "more");
    desk.flush();
    waits.await;
    // Nobody waits any more: nothing is kept of it.
    assert!(desk.logs.followers.join(&app("other")).is_some());
    assert_eq!(format!("{:?}", desk.logs.followers), format!("{:?}", Followers::default()));
}

#[test]
fn so_many_apps_are_followed_and_no_more() {
    let followers = Arc::new(Followers::default());
    let held: Vec<_> =
        (0..FOLLOWED_MAX).map(|number| followers.join(&app(&format!("app-{number}"))).unwrap()).collect();
    assert!(followers.join(&app("one-more")).is_none());
    assert!(followers.join(&app("app-0")).is_some());
    drop(held);
    assert!(followers.join(&app("one-more")).is_some());
}

#[test]
fn a_cursor_whose_segment_is_gone_goes_on_at_the_oldest() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    desk.print("shop", 0, "first");
    desk.flush();
    let early = all(data.path(), "shop").cursor;
    for line in 1..100 {
        desk.print("shop", line, &"x".repeat(16_000));
        desk.flush();
    }
    let query = LogQuery { after: early, ..LogQuery::all(app("shop")) };
    let page = desk.logs.reader().read(&query).unwrap();
    assert!(page.is_gap && !page.records.is_empty() && page.records[0].time_us > START_US + 1_000_000);
    // A log that was begun anew under the same number is another one.
    let last = segments(data.path(), "shop").pop().unwrap();
    std::fs::remove_dir_all(last.parent().unwrap()).unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    desk.print("shop", 500, "anew");
    desk.flush();
    let page = desk.logs.reader().read(&query).unwrap();
    assert_eq!((texts(&page), page.is_gap), (vec!["anew".to_owned()], true));
}
