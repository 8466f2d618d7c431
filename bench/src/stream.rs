//! `stream`: large bodies through a guest, beside hyper and `wasmtime serve`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::clock;
use crate::cores::Cores;
use crate::native::Repeat;
use crate::peer::{HYPER, hello};
use crate::process::Server;
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::spread::Spread;

/// Bytes through `/stream` in one run, and in sum through `/echo`.
const BYTES: u64 = 1 << 30;
/// The same where the run is quick.
const BYTES_QUICK: u64 = 64 << 20;
/// Bytes of one body sent to `/echo`: below what a gateway takes by default.
const ECHO_BYTES: u64 = 64 << 20;
/// Processor time below which the system's clock, which ticks every 10 ms, says nothing.
const CPU_SECONDS_MIN: f64 = 0.05;

/// What is streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Down,
    Echo,
}

#[derive(Debug, Default, Clone)]
struct Runs {
    mib_per_second: Vec<f64>,
    mib_per_cpu_second: Vec<f64>,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("stream");
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    let launches = hello(settings, data.path(), 1, &mut report)?;
    let split = Cores::allowed()?.split(1);
    split.load.confine()?;
    let servers = launches.iter().map(|launch| launch.start(&split.server, logs)).collect::<Result<Vec<_>>>()?;
    for server in &servers {
        server.pause()?;
    }
    let bytes = if settings.quick { BYTES_QUICK } else { BYTES };
    for way in [Way::Down, Way::Echo] {
        let table = compare(settings, &servers, (way, bytes), &mut report)?;
        report.table(table);
    }
    report.note(format!("server on core {}, one connection of a hyper client on {}", split.server, split.load));
    report.note(format!(
        "each body: {} MiB down, {} MiB to /echo and back; every byte is counted",
        bytes >> 20,
        ECHO_BYTES >> 20
    ));
    Ok(report)
}

fn compare(settings: &Settings, servers: &[Server], what: (Way, u64), report: &mut Report) -> Result<Table> {
    let (way, bytes) = what;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut all = vec![Runs::default(); servers.len()];
    for _ in 0..settings.repetitions() {
        for (server, runs) in servers.iter().zip(&mut all) {
            server.resume()?;
            let before = server.cpu_seconds()?;
            let began = clock::now();
            let done = runtime.block_on(transfer(server, way, bytes));
            let (wall, spent) = (began.elapsed().as_secs_f64(), server.cpu_seconds()? - before);
            server.pause()?;
            if let Err(error) = done {
                report.left_out(format!("{}, {way:?}: {error:#}", server.name));
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "a few GiB")]
            let mib = bytes as f64 / 1_048_576.0;
            runs.mib_per_second.push(mib / wall);
            if spent >= CPU_SECONDS_MIN {
                runs.mib_per_cpu_second.push(mib / spent);
            }
        }
    }
    let (title, columns) = match way {
        Way::Down => ("a guest writes: GET /stream", "MiB per s"),
        Way::Echo => ("a guest copies: POST /echo", "MiB per s each way"),
    };
    let mut table = Table::new(title, &["server", columns, "MiB per cpu-s", "against hyper", "per cpu-s"]);
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
    let hyper = servers.iter().position(|server| server.name == HYPER).and_then(|place| all.get(place));
    for (server, runs) in servers.iter().zip(&all) {
        let against = |of: fn(&Runs) -> &[f64]| {
            median(of(runs)).zip(hyper.and_then(|hyper| median(of(hyper)))).map(|(own, hyper)| own / hyper)
        };
        table.row(vec![
            Cell::text(&server.name),
            Cell::spread(&runs.mib_per_second, 0),
            Cell::spread(&runs.mib_per_cpu_second, 0),
            Cell::number(against(|runs| &runs.mib_per_second), 2),
            Cell::number(against(|runs| &runs.mib_per_cpu_second), 2),
        ]);
    }
    Ok(table)
}

/// Moves `bytes` on one connection and counts what comes back.
async fn transfer(server: &Server, way: Way, bytes: u64) -> Result<()> {
    let stream = TcpStream::connect(server.address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let mut left = bytes;
    while left > 0 {
        let size = if way == Way::Down { left } else { left.min(ECHO_BYTES) };
        let request = request(way, size)?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        ensure!(response.status() == 200, "answered {}", response.status());
        let mut body = response.into_body();
        let mut came = 0;
        while let Some(frame) = body.frame().await {
            came += frame?.data_ref().map_or(0, Bytes::len) as u64;
        }
        ensure!(came == size, "{came} of {size} bytes came");
        left -= size;
    }
    drop(sender);
    driver.await?.context("the connection broke off")
}

fn request(way: Way, size: u64) -> Result<Request<BoxBody<Bytes, std::convert::Infallible>>> {
    let (method, path, body) = match way {
        Way::Down => (Method::GET, format!("/stream?bytes={size}"), Repeat::new(0)),
        Way::Echo => (Method::POST, "/echo".to_string(), Repeat::new(size)),
    };
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    request.body(BoxBody::new(body)).context("not a request")
}
