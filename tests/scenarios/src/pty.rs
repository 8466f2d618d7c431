//! A command on a terminal of its own, and a person before it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::ErrorKind;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::paths;
use crate::patience::until;

/// A running command, killed when dropped.
#[derive(Debug)]
pub struct Pty {
    child: Child,
    /// What the person sees and types on; nothing once they have gone.
    person: Option<File>,
    /// The command's own end, kept so that its state can be read afterwards.
    line: OwnedFd,
    seen: String,
}

/// What was left when the command had ended.
#[derive(Debug)]
pub struct Left {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Everything that it wrote, with what moves the cursor.
    pub seen: String,
    /// Whether what is typed is a line again, and is shown.
    pub is_usable: bool,
}

impl Pty {
    /// Starts `cumulet ARGUMENTS` as the foreground of a terminal so wide and high.
    ///
    /// # Errors
    /// When the system gives no terminal, or the binary is missing.
    pub fn start(arguments: &[impl AsRef<OsStr>], (columns, rows): (u16, u16)) -> anyhow::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let person = openpt(flags).context("no terminal to be had")?;
        grantpt(&person)?;
        unlockpt(&person)?;
        let line = ioctl_tiocgptpeer(&person, flags)?;
        tcsetwinsize(&person, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?;
        fcntl_setfl(&person, OFlags::RDWR | OFlags::NONBLOCK)?;
        // A session of its own: the terminal of whoever runs the tests is not to be found.
        let child = Command::new("setsid")
            .arg("--ctty")
            .arg(paths::binary()?)
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .current_dir(paths::repository())
            .stdin(Stdio::from(line.try_clone()?))
            .stdout(Stdio::from(line.try_clone()?))
            .stderr(Stdio::from(line.try_clone()?))
            .spawn()
            .context("cannot run setsid")?;
        Ok(Self { child, person: Some(File::from(person)), line, seen: String::new() })
    }

    /// Waits until everything that was written so far says so.
    ///
    /// # Errors
    /// When it does not until patience ends, or the command ends before.
    pub fn until(&mut self, what: &str, mut says: impl FnMut(&str) -> bool) -> anyhow::Result<()> {
        until(what, || {
            let has_ended = self.child.try_wait()?.is_some();
            self.look()?;
            anyhow::ensure!(!has_ended || says(&self.seen), "it ended before {what}: {:?}", self.seen);
            Ok(says(&self.seen))
        })
        .with_context(|| format!("{:?}", self.seen))
    }

    /// Types.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn types(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        Ok(self.person.as_mut().context("nobody is there")?.write_all(keys)?)
    }

    /// Makes the terminal so wide and high.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) -> anyhow::Result<()> {
        let person = self.person.as_ref().context("nobody is there")?;
        Ok(tcsetwinsize(person, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?)
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn terminate(&self) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(id.context("a process has an id")?, Signal::TERM)?)
    }

    /// The person goes away with their terminal, as when a connection breaks.
    pub fn hang_up(&mut self) {
        self.person = None;
    }

    /// Waits for the end, which has to come by itself.
    ///
    /// # Errors
    /// When it does not end.
    pub fn end(mut self) -> anyhow::Result<Left> {
        let mut code = None;
        until("the command ends", || {
            code = self.child.try_wait()?;
            self.look()?;
            Ok(code.is_some())
        })?;
        let modes = tcgetattr(&self.line).map(|line| line.local_modes);
        let wanted = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        let is_usable = modes.is_ok_and(|modes| modes.contains(wanted));
        let seen = std::mem::take(&mut self.seen);
        Ok(Left { code: code.and_then(|status| status.code()), seen, is_usable })
    }

    /// Reads what was written.
    fn look(&mut self) -> anyhow::Result<()> {
        let Some(person) = &mut self.person else { return Ok(()) };
        let mut bytes = Vec::new();
        match person.read_to_end(&mut bytes) {
            Ok(_end) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.seen.push_str(&String::from_utf8_lossy(&bytes));
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Both fail only where it ended already.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}
