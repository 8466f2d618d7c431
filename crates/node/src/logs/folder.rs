//! Where logs lie in a data folder.

use cumulet_spec::id::{AppId, AppName, TenantId};
use std::path::{Path, PathBuf};

/// The folder of all logs.
pub(super) fn logs(data_dir: &Path) -> PathBuf {
    data_dir.join("logs")
}

/// The folder of an app's log.
pub(super) fn of_app(logs: &Path, app: &AppId) -> PathBuf {
    logs.join(app.file_name())
}

/// The app whose log lies in a folder of this name.
pub(super) fn app(name: &str) -> Option<AppId> {
    match name.split_once('.') {
        Some((app, tenant)) => Some(AppId { tenant: TenantId::parse(tenant).ok()?, app: AppName::parse(app).ok()? }),
        None => Some(AppId::local(AppName::parse(name).ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_app() {
        for text in ["shop", "acme/shop"] {
            let id: AppId = text.parse().unwrap();
            let path = of_app(Path::new("logs"), &id);
            assert_eq!(app(path.file_name().unwrap().to_str().unwrap()), Some(id));
        }
        for other in ["", "lost+found", "a.b.c", "Shop"] {
            assert_eq!(app(other), None, "{other}");
        }
    }
}
