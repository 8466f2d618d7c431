//! What a guest's statement may do.
//!
//! SQLite asks for each action while it prepares a statement, again when the schema changed, and for statements that it
//! makes itself, such as those of `VACUUM` and of the table-valued pragmas. What is not decided here is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Pragmas that only tell something; several take the name of a table.
const PRAGMAS_TOLD: [&str; 17] = [
    "table_list",
    "table_info",
    "table_xinfo",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "integrity_check",
    "quick_check",
    "database_list",
    "collation_list",
    "function_list",
    "compile_options",
    "page_count",
    "freelist_count",
    "data_version",
];

/// Pragmas that may be read and set. What they set stays with the connection or the file, so that a connection on which
/// one was set is not used again.
const PRAGMAS_SET: [&str; 6] =
    ["foreign_keys", "defer_foreign_keys", "recursive_triggers", "user_version", "application_id", "optimize"];

/// Pragmas that may be read, and never set.
const PRAGMAS_READ: [&str; 6] =
    ["encoding", "page_size", "schema_version", "journal_mode", "synchronous", "max_page_count"];

/// Modules of virtual tables that a guest may use. Older versions of full-text search are left out: they take pointers
/// in blobs.
const MODULES: [&str; 4] = ["fts5", "fts5vocab", "rtree", "rtree_i32"];

/// Functions that a guest may not call, although SQLite has them: they reach out of the database, take pointers in blobs,
/// count what other invocations did, or run for a time that grows with the product of the lengths of their arguments
/// without asking whether to stop.
const FUNCTIONS_DENIED: [&str; 14] = [
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
    "sqlite_log",
    "total_changes",
    "json_patch",
    "jsonb_patch",
    "offsets",
    "matchinfo",
    "rtreecheck",
    "rtreenode",
    "rtreedepth",
];

/// Decides, and remembers what has to be known after a statement.
#[derive(Debug, Default)]
pub(super) struct Authorizer {
    trusted: AtomicBool,
    tainted: AtomicBool,
    denied: Mutex<Option<String>>,
}

impl Authorizer {
    /// The function that SQLite calls.
    pub(super) fn callback(self: &Arc<Self>) -> impl FnMut(AuthContext<'_>) -> Authorization + Send + 'static + use<> {
        let authorizer = Arc::clone(self);
        move |context| authorizer.decide(&context)
    }

    /// Lets our own statements do anything while `work` runs.
    pub(super) fn trusting<T>(&self, work: impl FnOnce() -> T) -> T {
        self.trusted.store(true, Ordering::Relaxed);
        let result = work();
        self.trusted.store(false, Ordering::Relaxed);
        result
    }

    /// Whether a statement changed something that stays with the connection.
    pub(super) fn is_tainted(&self) -> bool {
        self.tainted.load(Ordering::Relaxed)
    }

    /// What was refused last.
    pub(super) fn take_denied(&self) -> Option<String> {
        self.denied.lock().take()
    }

    fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        if self.trusted.load(Ordering::Relaxed) {
            return Authorization::Allow;
        }
        match verdict(context) {
            Verdict::Allow => Authorization::Allow,
            Verdict::AllowOnce => {
                self.tainted.store(true, Ordering::Relaxed);
                Authorization::Allow
            }
            Verdict::Deny(what) => {
                *self.denied.lock() = Some(what);
                Authorization::Deny
            }
        }
    }
}

enum Verdict {
    Allow,
    /// Allowed, and the connection is closed when its invocation ends.
    AllowOnce,
    Deny(String),
}

fn verdict(context: &AuthContext<'_>) -> Verdict {
    match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Verdict::Deny("ATTACH and DETACH, and VACUUM, which attaches a file of its own".to_owned())
        }
        AuthAction::Pragma { pragma_name, pragma_value } => pragma(pragma_name, pragma_value),
        AuthAction::Function { function_name } if is_among(&FUNCTIONS_DENIED, function_name) => {
            Verdict::Deny(format!("the function {function_name}"))
        }
        AuthAction::CreateVtable { module_name, .. } if !is_among(&MODULES, module_name) => {
            Verdict::Deny(format!("the module {module_name}"))
        }
        AuthAction::Unknown { code, .. } => Verdict::Deny(format!("the action {code}")),
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => Verdict::AllowOnce,
        AuthAction::Read { .. } => Verdict::Allow,
        // A table named `temp.t` is made by an ordinary `CREATE TABLE`.
        _ if context.database_name == Some("temp") => Verdict::AllowOnce,
        _ => Verdict::Allow,
    }
}

fn pragma(name: &str, value: Option<&str>) -> Verdict {
    if is_among(&PRAGMAS_TOLD, name) || (is_among(&PRAGMAS_READ, name) && value.is_none()) {
        Verdict::Allow
    } else if is_among(&PRAGMAS_SET, name) {
        if value.is_none() { Verdict::Allow } else { Verdict::AllowOnce }
    } else if is_among(&PRAGMAS_READ, name) {
        Verdict::Deny(format!("setting the pragma {name}"))
    } else {
        Verdict::Deny(format!("the pragma {name}"))
    }
}

/// SQLite compares names without regard to the case of ASCII letters.
fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}
