//! HTTP/1.1 with as little work as it takes: bytes made ahead are written, and of an answer only
//! the status and the length are looked at.

use anyhow::{Context, Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEADERS_MAX: usize = 32;
const BUFFER_BYTES: usize = 16 * 1024;

/// One kept connection to the node.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Connection {
    pub(super) async fn open(at: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(at).await.context("cannot connect to the node")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(BUFFER_BYTES) })
    }

    /// Sends a whole request and reads the answer to its end; gives its status.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.answered(request).await.map(|(status, _)| status)
    }

    /// Sends a whole request; gives status and body of the answer.
    pub(super) async fn answered(&mut self, request: &[u8]) -> Result<(u16, Bytes)> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((status, head, body)) = measure(&self.buffer)?
                && self.buffer.len() >= head + body
            {
                self.buffer.advance(head);
                return Ok((status, self.buffer.split_to(body).freeze()));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the node closed the connection");
            }
        }
    }
}

/// Status, length of the head and of the body of the answer at the beginning of the bytes.
fn measure(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(bytes)? else { return Ok(None) };
    let body = length(answer.headers)?;
    Ok(answer.code.map(|status| (status, head, body)))
}

/// The length that the headers tell; 0 if none does.
pub(super) fn length(headers: &[httparse::Header<'_>]) -> Result<usize> {
    let named = |name: &str| headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    if named("transfer-encoding").is_some() {
        bail!("a body without a length");
    }
    match named("content-length") {
        Some(header) => Ok(std::str::from_utf8(header.value)?.trim().parse()?),
        None => Ok(0),
    }
}

/// A request with a user token and a JSON body.
pub(super) fn post(path: &str, token: &str, body: &str) -> Bytes {
    Bytes::from(format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
}
