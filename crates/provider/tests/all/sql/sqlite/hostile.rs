//! SQL from someone who wants out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cumulet_provider::sqlite::Value;

use super::{Scratch, run};

/// Each case is a statement, and under it `=>` with what it is answered; `ok` where it may run.
const CASES: &str = include_str!("../../../data/sqlite/hostile.txt");
/// Each function that the SQLite we build has: a new one has to be looked at, and is then added there.
const FUNCTIONS: &str = include_str!("../../../data/sqlite/functions.txt");

#[tokio::test]
async fn hostile_statements_are_refused_and_leave_nothing() {
    let mut wrong = Vec::new();
    for (statement, expect) in cases() {
        let scratch = Scratch::new();
        let outside = scratch.folder.path().join("outside.db");
        let statement = statement.replace("{outside}", outside.to_str().unwrap());
        let connection = scratch.database.connect();
        run(&connection, "CREATE TABLE t (x)").await.unwrap();
        let answer = match run(&connection, &statement).await {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        if answer != expect {
            wrong.push(format!("{statement}\n    => {answer}"));
        }
        drop(connection);
        let files = files_under(scratch.folder.path());
        // The last connection to end removes its log, at a time of its own.
        let known = BTreeSet::from(["app/main.db", "app/main.db-shm", "app/main.db-wal"].map(str::to_owned));
        assert!(files.contains("app/main.db") && files.is_subset(&known), "{statement}: {files:?}");
        assert!(!Path::new("outside.db").exists(), "{statement}");
    }
    assert!(wrong.is_empty(), "answered otherwise:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_pointer_in_a_parameter_is_refused() {
    let connection = Scratch::new().database.connect();
    let statement = "SELECT fts3_tokenizer('simple', ?)".to_owned();
    let error = connection.execute(statement, vec![Value::Blob(vec![0x41; 8])]).await.unwrap_err();
    assert_eq!(error.to_string(), "not allowed here: the function fts3_tokenizer");
}

#[tokio::test]
async fn the_functions_of_sqlite_are_those_that_were_looked_at() {
    let connection = Scratch::new().database.connect();
    let rows = run(&connection, "SELECT DISTINCT name FROM pragma_function_list ORDER BY name").await.unwrap();
    let found: BTreeSet<String> = rows
        .rows
        .into_iter()
        .map(|row| match row.into_iter().next() {
            Some(Value::Text(name)) => name,
            other => panic!("{other:?}"),
        })
        .collect();
    let known: BTreeSet<String> = FUNCTIONS.split_whitespace().map(str::to_owned).collect();
    let new: Vec<&String> = found.difference(&known).collect();
    let gone: Vec<&String> = known.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:?}; gone: {gone:?}");
}

fn cases() -> impl Iterator<Item = (String, String)> {
    let mut statement = String::new();
    CASES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).filter_map(move |line| {
        if let Some(expect) = line.trim_start().strip_prefix("=> ") {
            return Some((std::mem::take(&mut statement), expect.to_owned()));
        }
        statement.push_str(line);
        None
    })
}

fn files_under(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_under(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.insert(name);
        }
    }
    found
}
