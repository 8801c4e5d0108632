//! The HTTP server around the door: bounds on heads, on idle time and on connections.

use crate::config::Http;
use anyhow::{Context, Result};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Pause after a connection could not be accepted (no file handles left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    slots: Arc<Semaphore>,
    head_timeout: Duration,
    unread_timeout_ms: u32,
}

impl Server {
    pub(crate) async fn bind(settings: &Http) -> Result<Self> {
        let listener = TcpListener::bind(&settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}", settings.listen))?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            slots: Arc::new(Semaphore::new(settings.connections_max)),
            head_timeout: Duration::from_millis(settings.head_timeout_ms),
            unread_timeout_ms: u32::try_from(settings.body_timeout_ms).unwrap_or(u32::MAX),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopped`, then waits at most `drain` for open requests.
    pub(crate) async fn run(
        self,
        router: Router,
        mut stopped: watch::Receiver<bool>,
        drain: Duration,
    ) {
        let all = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        while !*stopped.borrow() {
            let Ok(slot) = self.slots.clone().acquire_owned().await else { break };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stopped.changed() => break,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // The kernel gives the connection up: nothing above it notices who never reads.
            let limited =
                rustix::net::sockopt::set_tcp_user_timeout(&stream, self.unread_timeout_ms);
            if let Err(error) = limited {
                tracing::warn!(%error, "a client that never reads may keep its connection");
            }
            let connection = serve(stream, router.clone(), self.head_timeout, stopped.clone());
            tokio::spawn(async move {
                connection.await;
                drop(slot);
            });
        }
        // Who comes now is refused at once, and goes to another node.
        drop(self.listener);
        let _ = tokio::time::timeout(drain, self.slots.acquire_many(all)).await;
    }
}

async fn serve(
    stream: TcpStream,
    router: Router,
    head_timeout: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ended(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn ended(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
