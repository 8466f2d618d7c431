//! One prefix on a server.

use std::sync::Arc;

use ::redis::aio::ConnectionManager;
use ::redis::{Cmd, FromRedisValue, Script, cmd};
use async_trait::async_trait;
use bytes::Bytes;

use super::super::{BATCH_BYTES_MAX, Bucket, BucketError, KeyPage, Snapshot, Swap};
use super::failure::{bucket_error, counter_error};
use super::listing;
use super::script::Scripts;

#[derive(Debug)]
pub(super) struct RedisBucket {
    connection: ConnectionManager,
    scripts: Arc<Scripts>,
    /// With its colon.
    prefix: String,
}

impl RedisBucket {
    pub(super) fn new(connection: ConnectionManager, scripts: Arc<Scripts>, prefix: &str) -> Self {
        Self { connection, scripts, prefix: format!("{prefix}:") }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The command `name KEY`.
    fn on(&self, name: &str, key: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(self.key(key));
        command
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, BucketError> {
        command.query_async(&mut self.connection.clone()).await.map_err(|error| bucket_error(&error))
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, keys: &[&str], given: &[&[u8]]) -> Result<T, BucketError> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(self.key(key));
        }
        for argument in given {
            invocation.arg(*argument);
        }
        invocation.invoke_async(&mut self.connection.clone()).await.map_err(|error| bucket_error(&error))
    }
}

#[async_trait]
impl Bucket for RedisBucket {
    async fn get(&self, key: String) -> Result<Option<Bytes>, BucketError> {
        let value: Option<Vec<u8>> = self.ask(&self.on("GET", &key)).await?;
        Ok(value.map(Bytes::from))
    }

    async fn set(&self, key: String, value: Bytes) -> Result<(), BucketError> {
        self.ask(self.on("SET", &key).arg(value.as_ref())).await
    }

    async fn delete(&self, key: String) -> Result<(), BucketError> {
        self.ask(&self.on("DEL", &key)).await
    }

    async fn exists(&self, key: String) -> Result<bool, BucketError> {
        self.ask(&self.on("EXISTS", &key)).await
    }

    async fn list_keys(&self, cursor: Option<String>) -> Result<KeyPage, BucketError> {
        listing::page(&mut self.connection.clone(), &self.prefix, cursor.as_deref()).await
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64, BucketError> {
        let mut command = self.on("INCRBY", &key);
        command.arg(delta);
        command.query_async(&mut self.connection.clone()).await.map_err(|error| counter_error(&error))
    }

    /// A string of Redis has no version: what is compared is the value alone.
    async fn read(&self, key: String) -> Result<Snapshot, BucketError> {
        Ok(Snapshot { value: self.get(key).await?, version: 0 })
    }

    async fn swap(&self, key: String, seen: Snapshot, value: Bytes) -> Result<Swap, BucketError> {
        let was_there: &[u8] = if seen.value.is_some() { b"1" } else { b"0" };
        let given = [was_there, seen.value.as_deref().unwrap_or_default(), value.as_ref()];
        let (done, now): (bool, Option<Vec<u8>>) = self.run(&self.scripts.swap, &[&key], &given).await?;
        Ok(if done { Swap::Done } else { Swap::Changed(Snapshot { value: now.map(Bytes::from), version: 0 }) })
    }

    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Bytes>>, BucketError> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let limit = BATCH_BYTES_MAX.to_string();
        let values: Option<Vec<Option<Vec<u8>>>> = self.run(&self.scripts.get_many, &keys, &[limit.as_bytes()]).await?;
        let values = values.ok_or(BucketError::Batch)?;
        Ok(values.into_iter().map(|value| value.map(Bytes::from)).collect())
    }

    async fn set_many(&self, pairs: Vec<(String, Bytes)>) -> Result<(), BucketError> {
        let mut command = cmd("MSET");
        for (key, value) in &pairs {
            command.arg(self.key(key)).arg(value.as_ref());
        }
        self.ask(&command).await
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), BucketError> {
        let mut command = cmd("DEL");
        for key in &keys {
            command.arg(self.key(key));
        }
        self.ask(&command).await
    }
}
