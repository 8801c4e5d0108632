//! The server that request steps call: it answers at once and counts.

use super::wire::length;
use anyhow::{Result, bail};
use bytes::{Buf, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const HEADERS_MAX: usize = 64;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    content-length: 14\r\n\r\n{\"taken\":true}";

/// A server on a port of its own. Dropped, it stops.
pub(super) struct Target {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Target {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let taken = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, Arc::clone(&taken)));
        Ok(Self { address, taken, task })
    }

    /// Its base URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests answered so far.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, taken: Arc<AtomicUsize>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let taken = Arc::clone(&taken);
        // A node that is killed breaks its connections.
        tokio::spawn(async move { serve(stream, &taken).await.unwrap_or_default() });
    }
}

async fn serve(mut stream: TcpStream, taken: &AtomicUsize) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(4_096);
    loop {
        while let Some(request) = measure(&buffer)?.filter(|length| buffer.len() >= *length) {
            buffer.advance(request);
            taken.fetch_add(1, Ordering::Relaxed);
            stream.write_all(ANSWER).await?;
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            bail!("closed");
        }
    }
}

/// Bytes of the request at the beginning, head and body.
fn measure(bytes: &[u8]) -> Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes)? else { return Ok(None) };
    Ok(Some(head + length(request.headers)?))
}
