//! Why a request was not sent.

use domain::workflow::template::Unresolved;

/// Why a request was not sent. The text may be shown to the people whose request it is.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Failed {
    /// A variable has no value.
    #[error(transparent)]
    Variable(#[from] Unresolved),
    /// The URL is no `http` or `https` URL.
    #[error("{0:?} is not a valid URL")]
    Url(String),
    /// The address of a token endpoint is none.
    #[error("the `token_url` of the authorization is not a valid URL")]
    TokenUrl,
    /// An integration request to a host that is not the integration's.
    #[error("This domain is invalid for the current integration")]
    Domain,
    /// A header's name or value cannot be sent.
    #[error(
        "the header {0:?} cannot be sent: its name or value has characters that are not allowed"
    )]
    Header(String),
    /// The body is not in the encoding that `X-Paragon-Encoding` names.
    #[error("the body cannot be decoded as {0:?}")]
    Encoding(String),
    /// What is to be sent as a file is none.
    #[error("what is to be sent as a file is none: {0}")]
    File(&'static str),
    /// An XML body that no XML document can be.
    #[error("the body cannot be written as XML: {0}")]
    Xml(String),
    /// What would be sent is larger than a step may hold.
    #[error("The step's input is larger than {bytes_max} bytes.")]
    TooLarge {
        /// What is allowed.
        bytes_max: u64,
    },
}

impl Failed {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Failed::Variable(unresolved) => unresolved.code(),
            Failed::Url(_) | Failed::TokenUrl => "URL_INVALID",
            Failed::Domain => "DOMAIN_INVALID",
            Failed::Header(_) => "HEADER_INVALID",
            Failed::Encoding(_) | Failed::File(_) | Failed::Xml(_) => "BODY_INVALID",
            Failed::TooLarge { .. } => "INPUT_TOO_LARGE",
        }
    }
}
