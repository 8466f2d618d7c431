//! Components on their way to a node: in pieces, from where an earlier attempt ended.

use bytes::Bytes;
use cumulet_spec::api::{BlobView, ProblemKind, UPLOAD_PIECE_BYTES_MAX};
use cumulet_spec::id::{Digest, TenantId};
use indicatif::BinaryBytes;

use super::package::Package;
use crate::client::{CallError, Client, Resource};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How often one upload is taken up again after it broke off.
const SETBACKS_MAX: u32 = 3;

/// Sends the components that are missing, and returns how many bytes they have.
///
/// # Errors
/// When the node refuses one, or cannot be reached often enough.
pub(super) async fn send(
    client: &Client,
    tenant: &TenantId,
    package: &Package,
    missing: &[Digest],
    terminal: Terminal,
) -> Result<u64, Box<Failure>> {
    let mut blobs = Vec::new();
    for digest in missing {
        let bytes = package.blobs.get(digest).ok_or_else(|| unknown(digest))?;
        blobs.push((digest, bytes));
    }
    let total: u64 = blobs.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    if blobs.is_empty() {
        return Ok(0);
    }
    let step = terminal.transfer(format!("uploading {}", BinaryBytes(total)), total);
    let mut before = 0;
    for (digest, bytes) in blobs {
        let upload = Upload { client, resource: Resource::blob(tenant, digest), bytes };
        upload.run(|offset| step.advance(before + offset)).await.map_err(|error| {
            error.failure("a component was not sent; nothing was deployed, and what ran before still runs")
        })?;
        before += bytes.len() as u64;
    }
    Ok(total)
}

fn unknown(digest: &Digest) -> Box<Failure> {
    Failure::new(Exit::FAILED, "nothing was deployed")
        .why(format!("the node asks for {digest}, which is no component of this app"))
        .next("use a node and a command of the same version")
}

/// The bytes of one component.
struct Upload<'a> {
    client: &'a Client,
    resource: Resource,
    bytes: &'a Bytes,
}

impl Upload<'_> {
    /// Sends what the node does not have yet; `told` hears how many bytes it has.
    async fn run(&self, told: impl Fn(u64)) -> Result<(), CallError> {
        let mut offset = self.offset().await?;
        let mut setbacks = 0;
        while let Some(from) = offset {
            told(from);
            offset = match self.piece(from).await {
                Ok(further) => further,
                Err(error) if setbacks < SETBACKS_MAX && breaks_off(&error) => {
                    setbacks += 1;
                    self.offset().await?
                }
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// Where to go on; nothing if all of it is there.
    async fn offset(&self) -> Result<Option<u64>, CallError> {
        match self.client.get::<BlobView>(&self.resource).await {
            Ok(view) => Ok(further(&view)),
            Err(error) if error.kind() == Some(ProblemKind::NotFound) => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }

    async fn piece(&self, offset: u64) -> Result<Option<u64>, CallError> {
        let length = self.bytes.len() as u64;
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        let end = begin.saturating_add(UPLOAD_PIECE_BYTES_MAX).min(self.bytes.len());
        let piece = self.bytes.slice(begin..end);
        let view = self.client.piece(&self.resource, (begin as u64, length), piece).await?;
        Ok(further(&view))
    }
}

fn further(view: &BlobView) -> Option<u64> {
    (!view.complete).then_some(view.offset)
}

/// Whether the upload can be taken up where the node says it ended.
fn breaks_off(error: &CallError) -> bool {
    error.may_pass() || error.kind() == Some(ProblemKind::Upload)
}
