//! SQL databases: one statement, given as it is.

use crate::query::Query;
use bindings::spin::sqlite::sqlite::{Connection, Error, QueryResult, Value};

mod bindings {
    wit_bindgen::generate!({ world: "imports", path: "../../../wit/sqlite", generate_all });
}

/// Opens `database` and runs each of the statements in `sql` (between `;;`), with the text `value` as the parameter of
/// those that have a `?`.
pub fn run(query: &Query) -> String {
    let connection = match Connection::open(query.text("database")) {
        Ok(connection) => connection,
        Err(error) => return format!("open {}\n", shown(&error)),
    };
    let mut text = String::new();
    for statement in query.text("sql").split(";;") {
        let value = Value::Text(query.text("value").to_owned());
        let parameters = if statement.contains('?') { vec![value] } else { Vec::new() };
        match connection.execute(statement, &parameters) {
            Ok(result) => text.push_str(&rows(&result)),
            Err(error) => text.push_str(&format!("error {}\n", shown(&error))),
        }
    }
    text + &format!("rowid {} changes {}\n", connection.last_insert_rowid(), connection.changes())
}

fn shown(error: &Error) -> String {
    match error {
        Error::Io(text) => format!("io: {text}"),
        other => format!("{other:?}"),
    }
}

fn rows(result: &QueryResult) -> String {
    let row = |values: &[Value]| {
        let shown = values.iter().map(|value| match value {
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => format!("{number:?}"),
            Value::Text(text) => format!("{text:?}"),
            Value::Blob(bytes) => format!("{bytes:?}"),
            Value::Null => "null".to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    if result.columns.is_empty() {
        return "done\n".to_owned();
    }
    let mut text = format!("{}\n", result.columns.join(" "));
    for found in &result.rows {
        text.push_str(&format!("{}\n", row(&found.values)));
    }
    text
}
