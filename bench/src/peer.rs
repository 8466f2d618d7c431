//! The servers that stand beside each other.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::{LISTEN, Launch};
use crate::report::Report;
use crate::settings::{Settings, own_program};

/// Bare hyper's name in tables.
pub(crate) const HYPER: &str = "hyper";
/// Tuned `wasmtime serve` with a 0.2 component.
pub(crate) const WASMTIME_P2: &str = "wasmtime serve 0.2";
/// Tuned `wasmtime serve` with a 0.3 component.
pub(crate) const WASMTIME_P3: &str = "wasmtime serve 0.3";
/// Cumulet with a 0.2 component.
pub(crate) const CUMULET_P2: &str = "cumulet 0.2";
/// Cumulet with a 0.3 component.
pub(crate) const CUMULET_P3: &str = "cumulet 0.3";

/// What makes `wasmtime serve` fast with fresh instances.
const WASMTIME_TUNED: &str = "pooling-allocator=y,pooling-memory-keep-resident=2097152,pooling-table-keep-resident=65536,\
pooling-async-stack-keep-resident=65536,pooling-pagemap-scan=y";

/// Bare hyper in a process of its own.
pub(crate) fn hyper() -> Result<Launch> {
    Ok(Launch::new(HYPER, own_program()?).args(["serve-hyper", "--listen", LISTEN]))
}

/// Tuned `wasmtime serve`; an instance serves `reuse` requests, one after the other.
pub(crate) fn wasmtime(name: &str, program: &Path, component: &Path, reuse: u32) -> Launch {
    let launch = Launch::new(name, program).args(["serve", "--addr", LISTEN, "-Scli", "-O", WASMTIME_TUNED]);
    let launch = if name == WASMTIME_P3 { launch.args(["-Sp3", "-Wcomponent-model-async=y"]) } else { launch };
    let reuse = reuse.to_string();
    launch.args(["--max-instance-reuse-count", &reuse, "--max-instance-concurrent-reuse-count", "1"]).args([component])
}

/// `cumulet up`, for a component, a manifest or its folder. `data` is its data folder.
pub(crate) fn cumulet(name: &str, program: &Path, target: &Path, data: &Path) -> Launch {
    let launch = Launch { ready: Some("\"event\":\"ready\""), ..Launch::new(name, program) };
    launch
        .args(["up".as_ref(), target.as_os_str()])
        .args(["--listen", LISTEN, "--admin", "127.0.0.1:0", "--json", "--data-dir"])
        .args([data])
}

/// All servers of the hello component that are here, with instances that serve `reuse` requests each; what is not here
/// is named in the report.
pub(crate) fn hello(settings: &Settings, data: &Path, reuse: u32, report: &mut Report) -> Result<Vec<Launch>> {
    let mut launches = vec![hyper()?];
    let pairs = [("hello", WASMTIME_P2, CUMULET_P2), ("hello_p3", WASMTIME_P3, CUMULET_P3)];
    let (wasmtime_program, cumulet_program) = (settings.wasmtime(), settings.cumulet());
    for missing in [&wasmtime_program, &cumulet_program].into_iter().filter_map(|found| found.as_ref().err()) {
        report.left_out(missing);
    }
    for (component, wasmtime_name, cumulet_name) in pairs {
        match settings.component(component) {
            Ok(path) => {
                launches.extend(wasmtime_program.iter().map(|program| wasmtime(wasmtime_name, program, &path, reuse)));
                let data = data.join(component);
                let path = if reuse > 1 { reusing(&data, &path, reuse)? } else { path };
                launches.extend(cumulet_program.iter().map(|program| cumulet(cumulet_name, program, &path, &data)));
            }
            Err(missing) => report.left_out(missing),
        }
    }
    Ok(launches)
}

/// A manifest of an app with one component, whose instances serve so many requests each.
fn reusing(folder: &Path, component: &Path, requests: u32) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("cumulet.toml");
    let manifest = format!(
        "manifest = 1\n[app]\nname = \"hello\"\n[component.hello]\nsource = {component:?}\nreuse = {{ requests = {requests} }}\n\
         [[trigger.http]]\nroute = \"/*\"\ncomponent = \"hello\"\n"
    );
    std::fs::write(&path, manifest)?;
    Ok(path)
}
