//! PostgreSQL databases: one statement, given as it is.

use crate::query::Query;
use bindings::spin::postgres::postgres::{Connection, ParameterValue};

mod bindings {
    wit_bindgen::generate!({ world: "imports", path: "../../../wit/postgres", generate_all });
}

/// Opens `database` and runs each of the statements in `sql` (between `;;`), with the text `value` as the parameter of
/// those that have a `$1`.
pub fn run(query: &Query) -> String {
    let connection = match Connection::open(query.text("database")) {
        Ok(connection) => connection,
        Err(error) => return format!("open {error:?}\n"),
    };
    let mut text = String::new();
    for statement in query.text("sql").split(";;") {
        let value = ParameterValue::Str(query.text("value").to_owned());
        let parameters = if statement.contains("$1") { vec![value] } else { Vec::new() };
        match connection.query(statement, &parameters) {
            Ok(found) => {
                let columns: Vec<_> = found.columns.iter().map(|column| column.name.as_str()).collect();
                text.push_str(&format!("{columns:?} {:?}\n", found.rows));
            }
            Err(error) => text.push_str(&format!("error {error:?}\n")),
        }
    }
    text
}
