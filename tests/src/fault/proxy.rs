//! The network between one node and Kafka: a way that can be cut.
//!
//! While it is cut, connections stay open and nothing comes through; what was sent meanwhile comes
//! late. That is harder for both ends than a connection that breaks.

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const BUFFER_BYTES: usize = 64 * 1024;

/// A port that leads to another one. Dropped, it is closed.
pub(super) struct Proxy {
    /// Where it listens, on 127.0.0.1.
    pub(super) port: u16,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A way to a port of 127.0.0.1.
    ///
    /// # Errors
    /// There is no free port.
    pub(super) async fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (open, is_open) = watch::channel(true);
        let task = tokio::spawn(accept(listener, to, is_open));
        Ok(Self { port, open, task })
    }

    /// Nothing comes through any more.
    pub(super) fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Everything comes through again, also what was held up.
    pub(super) fn mend(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, is_open: watch::Receiver<bool>) {
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        tokio::spawn(join(near, to, is_open.clone()));
    }
}

async fn join(near: TcpStream, to: u16, mut is_open: watch::Receiver<bool>) {
    if is_open.wait_for(|open| *open).await.is_err() {
        return;
    }
    // Who cannot be reached breaks the connection.
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::join!(pump(near_in, far_out, is_open.clone()), pump(far_in, near_out, is_open));
}

/// Carries bytes one way. An end of them waits like bytes.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_open: watch::Receiver<bool>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let is_through = is_open.wait_for(|open| *open).await.is_ok();
        if read == 0 || !is_through || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn what_is_sent_while_it_is_cut_comes_late() {
        let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(far.local_addr().unwrap().port()).await.unwrap();
        let mut near = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        let (mut far, _) = far.accept().await.unwrap();
        let mut byte = [0];
        near.write_all(b"a").await.unwrap();
        far.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"a");

        proxy.cut();
        near.write_all(b"b").await.unwrap();
        let early = timeout(Duration::from_millis(50), far.read_exact(&mut byte)).await;
        assert!(early.is_err(), "it came through");
        proxy.mend();
        far.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"b");
    }
}
