//! The egress guard: the only place that opens sockets to the world.
//!
//! The check sits where the socket is opened: a name is resolved once, every address it has is
//! checked, and the socket is opened to one of exactly these. So it does not matter how an address
//! was written, what a redirect says, or what the name resolves to a moment later.

mod class;
mod egress;
mod resolver;

pub use class::{Class, class};
pub use egress::{Allow, BadAllow, Egress};
pub use resolver::{Resolver, SystemResolver};

use hyper::Uri;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tower::Service;

/// Why no socket was opened. It names the host as the caller wrote it and never an address that a
/// name resolved to: that would tell outsiders about the network inside.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The host is not on the public internet.
    #[error("requests to {host} are not permitted: its address is {class}")]
    Address {
        /// The host as in the URL.
        host: String,
        /// What its address is.
        class: Class,
    },
    /// The port is on the deny list.
    #[error("requests to port {port} of {host} are not permitted")]
    Port {
        /// The host as in the URL.
        host: String,
        /// The port.
        port: u16,
    },
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
    /// The name could not be resolved.
    #[error("the name {host} could not be resolved")]
    Unresolved {
        /// The host as in the URL.
        host: String,
    },
    /// None of the addresses took the connection.
    #[error("no connection to {host}:{port}: {reason}")]
    Unreachable {
        /// The host as in the URL.
        host: String,
        /// The port.
        port: u16,
        /// The last address's error, in a word.
        reason: std::io::ErrorKind,
    },
}

/// Opens sockets to what [`Egress`] permits; a hyper connector.
#[derive(Clone)]
pub struct Guard {
    egress: Arc<Egress>,
    resolver: Arc<dyn Resolver>,
}

impl Guard {
    /// A guard with the rules and the resolver.
    pub fn new(egress: Egress, resolver: Arc<dyn Resolver>) -> Self {
        Self { egress: Arc::new(egress), resolver }
    }

    /// Opens a socket to the host of the URI.
    ///
    /// # Errors
    /// The host or port is not permitted, or cannot be reached in time.
    pub async fn connect(&self, uri: &Uri) -> Result<TcpStream, Refused> {
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(Refused::NoHost)?;
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        if self.egress.ports_denied.contains(&port) {
            return Err(Refused::Port { host: host.to_owned(), port });
        }
        let deadline = Instant::now() + self.egress.connect_timeout();
        let addresses = self.addresses(host, port, deadline).await?;
        self.open(host, port, &addresses, deadline).await
    }

    /// The addresses of the host, all of them permitted. One that is not refuses the whole name: a
    /// public name with a private address is either a mistake or an attack.
    async fn addresses(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<IpAddr>, Refused> {
        let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let found = match literal.unwrap_or(host).parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => match timeout_at(deadline, self.resolver.resolve(host)).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) | Err(_) => return Err(Refused::Unresolved { host: host.to_owned() }),
            },
        };
        if found.is_empty() {
            return Err(Refused::Unresolved { host: host.to_owned() });
        }
        let refusal = found.iter().find_map(|at| self.egress.refusal(host, port, *at));
        match refusal {
            Some(class) => Err(Refused::Address { host: host.to_owned(), class }),
            None => Ok(found),
        }
    }

    async fn open(
        &self,
        host: &str,
        port: u16,
        addresses: &[IpAddr],
        deadline: Instant,
    ) -> Result<TcpStream, Refused> {
        let mut reason = std::io::ErrorKind::TimedOut;
        let tried = addresses.len().min(self.egress.addresses_max.max(1));
        for (position, address) in addresses.iter().take(tried).enumerate() {
            // An address that does not answer must leave time for those behind it.
            let left = deadline.saturating_duration_since(Instant::now());
            let shares = u32::try_from(tried - position).unwrap_or(1);
            let share = Instant::now() + left / shares;
            match timeout_at(share, TcpStream::connect(SocketAddr::new(*address, port))).await {
                Ok(Ok(stream)) => {
                    // Requests are small and written whole: waiting for more only costs time.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => reason = error.kind(),
                Err(_) => reason = std::io::ErrorKind::TimedOut,
            }
        }
        Err(Refused::Unreachable { host: host.to_owned(), port, reason })
    }

    /// Time to open a socket.
    pub fn connect_timeout(&self) -> Duration {
        self.egress.connect_timeout()
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("egress", &self.egress).finish_non_exhaustive()
    }
}

impl Service<Uri> for Guard {
    type Response = TokioIo<TcpStream>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Refused>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move { guard.connect(&uri).await.map(TokioIo::new) })
    }
}
