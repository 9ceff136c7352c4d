//! One end of the line between two programs: a thread that writes frames, one that reads them. Threads, so that the end of the
//! other program is learnt whatever the code of this one does with its async runtime. What a frame means is not its matter.

use std::io::{self, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::frames;

/// An open line. It stays open until it is [closed](Line::close), also when this is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    socket: UnixStream,
    out: Sender<Vec<u8>>,
}

/// A line whose frames are not read yet.
pub(crate) struct Unread(UnixStream);

impl Line {
    /// Opens a line over a socket. What is sent is written from now on; frames are read once [`Unread::read`] says by whom.
    ///
    /// # Errors
    /// When the machine gives no thread, or no further handle of the socket.
    pub(crate) fn open(socket: UnixStream) -> io::Result<(Self, Unread)> {
        let (write, read) = (socket.try_clone()?, socket.try_clone()?);
        let (out, frames) = channel();
        thread::Builder::new().name("former: write".to_owned()).spawn(move || write_all(write, &frames))?;
        Ok((Self { socket, out }, Unread(read)))
    }

    /// Sends a frame. Nothing happens when the other side is gone, which whoever reads learns.
    pub(crate) fn send(&self, frame: Vec<u8>) {
        let _ = self.out.send(frame);
    }

    /// Ends the line, for both sides.
    pub(crate) fn close(&self) {
        // Closed already, by the other side.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn write_all(mut socket: UnixStream, frames: &Receiver<Vec<u8>>) {
    while let Ok(frame) = frames.recv() {
        if socket.write_all(&frame).is_err() {
            let _ = socket.shutdown(Shutdown::Both);
            return;
        }
    }
}

impl Unread {
    /// Reads frames on a thread of their own, until the other side ends, sends what is no frame, or `told` does not understand one;
    /// then `ended` is told why.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn read(
        self,
        mut told: impl FnMut(&[u8]) -> Result<(), String> + Send + 'static,
        ended: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> io::Result<()> {
        let mut socket = BufReader::new(self.0);
        let read_all = move || {
            let why = loop {
                match frames::read(&mut socket) {
                    Ok(Some(body)) => {
                        if let Err(problem) = told(&body) {
                            break Err(problem);
                        }
                    }
                    Ok(None) => break Ok(()),
                    // It was killed, or has ended before it read everything.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break Ok(()),
                    Err(error) => break Err(error.to_string()),
                }
            };
            let _ = socket.get_ref().shutdown(Shutdown::Both);
            ended(why);
        };
        thread::Builder::new().name("former: read".to_owned()).spawn(read_all).map(|_| ())
    }
}
