//! Why a request has no answer.

use crate::guard::Refused;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// Why a request has no answer. What it says may be shown to the people whose request it was.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The egress guard opened no socket.
    #[error(transparent)]
    Guard(#[from] Refused),
    /// The connection could not be set up, or broke.
    #[error("the connection to {host} failed: {reason}")]
    Connection {
        /// The host as in the URL.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// There is no TLS with the host, or nobody vouches for it.
    #[error("no TLS with {host}: {reason}")]
    Tls {
        /// The host as in the URL.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The time for the whole attempt was over.
    #[error("no complete answer within {timeout_ms} ms")]
    Timeout {
        /// The time that it had, in milliseconds.
        timeout_ms: u32,
    },
    /// The body is larger than a step may hold.
    #[error("the response body is larger than {bytes_max} bytes")]
    TooLarge {
        /// The bound, in bytes, after decompression.
        bytes_max: u64,
    },
    /// The body is not what `Content-Encoding` says.
    #[error("the response body is not valid {encoding}")]
    Encoding {
        /// The encoding that was named.
        encoding: &'static str,
    },
    /// A redirect that is not followed.
    #[error("the redirect was not followed: {reason}")]
    Redirect {
        /// Why not.
        reason: &'static str,
    },
    /// The URL cannot be sent. It is not told, since there may be a token in it.
    #[error("the URL has characters that cannot be sent")]
    Url,
}

impl Error {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Guard(Refused::Address { .. } | Refused::Port { .. }) => "EGRESS_REFUSED",
            Error::Guard(Refused::NoHost) | Error::Url => "URL_INVALID",
            Error::Guard(Refused::Unresolved { .. } | Refused::Unreachable { .. })
            | Error::Connection { .. } => "CONNECTION_FAILED",
            Error::Tls { .. } => "TLS_FAILED",
            Error::Timeout { .. } => "REQUEST_TIMEOUT",
            Error::TooLarge { .. } => "RESPONSE_TOO_LARGE",
            Error::Encoding { .. } => "RESPONSE_UNREADABLE",
            Error::Redirect { .. } => "REDIRECT_REFUSED",
        }
    }

    /// Whether the same request could fare better later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Guard(Refused::Unresolved { .. } | Refused::Unreachable { .. })
            | Error::Connection { .. }
            | Error::Tls { .. }
            | Error::Timeout { .. } => true,
            Error::Guard(Refused::Address { .. } | Refused::Port { .. } | Refused::NoHost)
            | Error::TooLarge { .. }
            | Error::Encoding { .. }
            | Error::Redirect { .. }
            | Error::Url => false,
        }
    }

    /// What hyper says, with the guard's own word found in the layers around it.
    pub(super) fn of(host: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut reason = error.to_string();
        let mut layer = Some(error);
        while let Some(error) = layer {
            if let Some(refused) = error.downcast_ref::<Refused>() {
                return Error::Guard(refused.clone());
            }
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Error::Tls { host: host.to_owned(), reason: tls_reason(error) };
            }
            reason = error.to_string();
            // An io::Error hides the error that it was made of from `source`.
            let hidden = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
            layer = match hidden {
                Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
                None => error.source(),
            };
        }
        Error::Connection { host: host.to_owned(), reason }
    }
}

/// What is wrong with the other side's TLS, for people.
fn tls_reason(error: &rustls::Error) -> String {
    let known = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => {
                "its certificate is not from an authority that is trusted here"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Revoked => "its certificate was revoked",
            other => return format!("its certificate is not accepted: {other}"),
        },
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS at this port"
        }
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
        ) => "it shares no TLS version or cipher with this side (TLS 1.2 and 1.3)",
        other => return other.to_string(),
    };
    known.to_owned()
}
