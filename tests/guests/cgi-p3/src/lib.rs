//! A program of WASI 0.3 that answers by CGI: the body comes back behind the method, while it is read.

use wasip3::cli::environment::get_environment;
use wasip3::cli::{stdin, stdout};
use wasip3::wit_bindgen::{StreamResult, spawn_local};

/// Bytes that are read at once.
const PIECE: usize = 4 << 10;

wasip3::cli::command::export!(Program);

struct Program;

impl wasip3::exports::cli::run::Guest for Program {
    async fn run() -> Result<(), ()> {
        let variables = get_environment();
        let variable = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let method = variable("REQUEST_METHOD").unwrap_or_default().to_owned();
        if method == "DELETE" {
            return Err(());
        }
        let (mut output, written) = wasip3::wit_stream::new();
        spawn_local(async move {
            let head = format!("Content-Type: text/plain\n\n{method} ");
            output.write_all(head.into_bytes()).await;
            let (mut input, _end) = stdin::read_via_stream();
            loop {
                let (status, piece) = input.read(Vec::with_capacity(PIECE)).await;
                if !output.write_all(piece).await.is_empty() || matches!(status, StreamResult::Dropped) {
                    return;
                }
            }
        });
        stdout::write_via_stream(written).await.map_err(|_closed| ())
    }
}
