//! HTTP/2 with prior knowledge.

use std::convert::Infallible;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use cumulet_scenarios::server::Server;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::channel::Channel;
use http_body_util::{BodyExt as _, Empty, combinators::BoxBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};

type Body = BoxBody<Bytes, Infallible>;

const WORLDS: [&str; 2] = ["/p2", "/p3"];
const STREAMS: usize = 50;

/// Runs `scenario` with a connection to a server of its own.
fn with_connection<F>(scenario: impl FnOnce(SendRequest<Body>) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let server = Server::app("http.toml")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await?;
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let ended = tokio::time::timeout(cumulet_scenarios::PATIENCE, scenario(sender)).await;
        driver.abort();
        ended.context("patience ended")?
    })?;
    server.stop()
}

fn get(path: &str) -> anyhow::Result<Request<Body>> {
    Ok(Request::get(format!("http://test{path}")).body(Empty::new().boxed())?)
}

#[test]
fn many_streams_of_one_connection_each_get_an_instance() -> anyhow::Result<()> {
    with_connection(async |sender| {
        for world in WORLDS {
            let requests = (0..STREAMS).map(|_| {
                let mut sender = sender.clone();
                async move {
                    sender.ready().await?;
                    let response = sender.send_request(get(&format!("{world}/count"))?).await?;
                    ensure!(response.status() == 200, "{response:?}");
                    ensure!(response.headers().contains_key("x-request-id"), "{response:?}");
                    ensure!(response.into_body().collect().await?.to_bytes() == "1\n", "a used instance");
                    Ok(())
                }
            });
            let tasks: Vec<_> = requests.map(tokio::spawn).collect();
            for task in tasks {
                task.await??;
            }
        }
        Ok(())
    })
}

#[test]
fn bodies_stream_both_ways_and_trailers_pass() -> anyhow::Result<()> {
    with_connection(async |mut sender| {
        for world in WORLDS {
            let (mut upload, body) = Channel::<Bytes, Infallible>::new(1);
            let request = Request::post(format!("http://test{world}/echo")).body(body.boxed())?;
            upload.send_data(Bytes::from_static(b"chunk 0")).await?;
            let mut response = sender.send_request(request).await?;
            for n in 0..5 {
                let frame = response.body_mut().frame().await.context("an echo")??;
                ensure!(frame.data_ref().is_some_and(|data| *data == format!("chunk {n}")), "{world}: {frame:?}");
                upload.send_data(Bytes::from(format!("chunk {}", n + 1))).await?;
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("7"));
            upload.send(Frame::trailers(trailers)).await?;
            drop(upload);
            let rest = response.into_body().collect().await?;
            let sum = rest.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
            ensure!(sum.as_ref().is_some_and(|sum| sum == "7"), "{world}: {sum:?}");
            ensure!(rest.to_bytes() == "chunk 5", "{world}: the last chunk");
        }
        Ok(())
    })
}

#[test]
fn a_failure_after_the_head_resets_its_stream_alone() -> anyhow::Result<()> {
    with_connection(async |mut sender| {
        for world in WORLDS {
            let (upload, body) = Channel::<Bytes, Infallible>::new(1);
            let request = Request::post(format!("http://test{world}/half")).body(body.boxed())?;
            let response = sender.send_request(request).await?;
            ensure!(response.status() == 200, "{world}: {response:?}");
            // The guest goes on, and traps, once its request has ended.
            drop(upload);
            let error = response.into_body().collect().await.err().context("the body has to fail")?;
            ensure!(!error.is_canceled(), "{world}: {error:?}");
            let response = sender.send_request(get(&format!("{world}/count"))?).await?;
            ensure!(response.status() == 200, "{world}: the connection serves on");
        }
        Ok(())
    })
}
