//! The token that a command shows to a node.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use cumulet_spec::sensitive::Sensitive;
use cumulet_spec::token::TokenText;

use super::NodeArgs;
use crate::data_folder::candidates;
use crate::exit::Exit;
use crate::failure::Failure;

/// Where a node writes its first token, in its data folder.
const TOKEN_FILE: &str = "admin.token";
/// The largest file that may hold a token, in bytes.
const FILE_BYTES_MAX: u64 = 4_096;

/// The token in the file that was named; else the one that a node of this machine wrote.
pub(super) fn find(args: &NodeArgs) -> Result<TokenText, Box<Failure>> {
    if let Some(file) = &args.token_file {
        return read(file).map_err(|error| unread(file, &error, "name another with --token-file"))?;
    }
    if let Some(folder) = &args.data_dir {
        let file = folder.join(TOKEN_FILE);
        let next = "name the data folder of a node that has started, or a token with --token-file";
        return read(&file).map_err(|error| unread(&file, &error, next))?;
    }
    let files: Vec<PathBuf> = candidates().into_iter().map(|folder| folder.join(TOKEN_FILE)).collect();
    let mut refused = None;
    for file in &files {
        match read(file) {
            Ok(token) => return token,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => {
                refused = refused.or(Some(unread(file, &error, "give a token of your own with --token-file")))
            }
        }
    }
    if let Some(failure) = refused {
        return Err(failure);
    }
    let failure = Failure::new(Exit::FAILED, "there is no token for the node");
    let failure = files.iter().fold(failure, |failure, file| failure.why(format!("there is no {}", file.display())));
    Err(failure
        .next("start `cumulet node`, which writes one; or give one with --token-file, or that node's --data-dir"))
}

/// What a file holds: a token, or a failure that says what it is instead.
fn read(file: &Path) -> std::io::Result<Result<TokenText, Box<Failure>>> {
    let mut text = String::new();
    File::open(file)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    let text = Sensitive::new(text);
    Ok(TokenText::parse(text.reveal().trim()).map_err(|error| {
        let failure = Failure::new(Exit::USAGE, "this file holds no token").at(file).because(&error);
        failure.next("name another with --token-file; an admin makes one with `cumulet token new`")
    }))
}

fn unread(file: &Path, error: &std::io::Error, next: &str) -> Box<Failure> {
    let exit = if error.kind() == ErrorKind::NotFound { Exit::USAGE } else { Exit::FAILED };
    let failure = Failure::new(exit, "cannot read the token").at(file).because(error);
    match error.kind() {
        ErrorKind::PermissionDenied => {
            failure.next("run it as the user of the node, or give a token of your own with --token-file")
        }
        ErrorKind::InvalidData => failure.next("name a file of text with --token-file"),
        _ => failure.next(next),
    }
}
