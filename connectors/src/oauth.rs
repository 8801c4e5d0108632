//! Tokens of applications: OAuth 2.0 client credentials (RFC 6749, 4.4), asked for once and shared.
//!
//! Tokens are kept in the memory of the node that uses them. They are derived: whoever has the
//! credentials can ask for another one at any time, so nothing is lost with them, and what is not
//! written down cannot be read by others.

mod grant;
mod refused;

pub use refused::Refused;

use crate::http::{self, Answer, Call, Client};
use aws_lc_rs::digest::{SHA256, digest};
use domain::id::ProjectId;
use domain::time::Timestamp;
use domain::workflow::ClientCredentials;
use hyper::header::{AUTHORIZATION, HeaderValue};
use lru::LruCache;
use ports::Clock;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

/// Tokens kept at a time; the one that was not used for longest goes first.
const TOKENS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Sends requests with tokens. A clone shares them.
#[derive(Clone)]
pub struct Bearers {
    client: Client,
    clock: Arc<dyn Clock>,
    slots: Arc<Mutex<LruCache<Identity, Arc<Slot>>>>,
}

/// Whose token it is: a digest of the project and of everything that is asked with. Who does not
/// know the secret does not get a token that was given for it.
type Identity = [u8; 32];

/// One token; whoever finds none asks for it, and the others wait.
#[derive(Default)]
struct Slot {
    kept: tokio::sync::Mutex<Kept>,
    /// How often it was asked for, so that those who waited know that it was.
    grants: AtomicU64,
}

#[derive(Default)]
struct Kept {
    token: Option<Granted>,
    /// Why the last grant failed.
    refused: Option<Refused>,
}

/// A token, and until when.
#[derive(Clone)]
struct Granted {
    token: Token,
    /// From when on another one is asked for.
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// What is sent after `Bearer`. It is never shown.
#[derive(Clone, PartialEq, Eq)]
struct Token(Arc<Zeroizing<String>>);

/// Why a request that needs a token has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// There is no token.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The request itself failed.
    #[error(transparent)]
    Http(#[from] http::Error),
}

impl Bearers {
    /// No token yet; both grants and requests go out by the client.
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, slots: Arc::new(Mutex::new(LruCache::new(TOKENS_MAX))) }
    }

    /// Sends the request with a token of the project. If a token that was kept is not accepted (401),
    /// another one is asked for and the request is sent once more. All of it is within the call's
    /// time-out.
    ///
    /// # Errors
    /// There is no token, or no answer.
    pub async fn send(
        &self,
        project: ProjectId,
        credentials: &ClientCredentials,
        call: Call,
    ) -> Result<Answer, Unanswered> {
        let timeout_ms = call.timeout_ms;
        let deadline = Instant::now() + Duration::from_millis(u64::from(timeout_ms));
        let slot = self.slot(project, credentials);
        let sending = Box::pin(async {
            let (token, is_kept) = self.token(&slot, credentials, None, deadline).await?;
            let answer = self.client.send(bearing(call.clone(), &token, deadline)?).await?;
            if answer.status != 401 || !is_kept {
                return Ok(answer);
            }
            let (token, _) = self.token(&slot, credentials, Some(&token), deadline).await?;
            Ok(self.client.send(bearing(call, &token, deadline)?).await?)
        });
        match timeout_at(deadline, sending).await {
            Ok(answer) => answer,
            Err(_) => Err(http::Error::Timeout { timeout_ms }.into()),
        }
    }

    fn slot(&self, project: ProjectId, credentials: &ClientCredentials) -> Arc<Slot> {
        // A struct of texts always has a JSON.
        let asked = Zeroizing::new(serde_json::to_vec(credentials).unwrap_or_default());
        let told = Zeroizing::new([project.0.as_bytes().as_slice(), &asked].concat());
        let mut identity = Identity::default();
        identity.copy_from_slice(digest(&SHA256, &told).as_ref());
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.get_or_insert(identity, Arc::default))
    }

    /// A token that is valid and is not the one that was `spent`, and whether it was kept from before.
    async fn token(
        &self,
        slot: &Slot,
        credentials: &ClientCredentials,
        spent: Option<&Token>,
        deadline: Instant,
    ) -> Result<(Token, bool), Refused> {
        let before = slot.grants.load(Ordering::Acquire);
        let mut kept = slot.kept.lock().await;
        let now = self.clock.now();
        let usable = kept.token.clone().filter(|granted| Some(&granted.token) != spent);
        if let Some(granted) = usable.as_ref().filter(|granted| now < granted.renew_at) {
            return Ok((granted.token.clone(), true));
        }
        let was_asked = slot.grants.load(Ordering::Acquire) != before;
        let answer = match kept.refused.clone().filter(|_| was_asked) {
            Some(refused) => Err(refused),
            None => {
                let answer = self.grant(credentials, deadline).await;
                slot.grants.fetch_add(1, Ordering::Release);
                kept.refused = answer.as_ref().err().cloned();
                answer
            }
        };
        match (answer, usable) {
            (Ok(granted), _) => {
                let token = granted.token.clone();
                kept.token = Some(granted);
                Ok((token, false))
            }
            // It was to be renewed in good time: it still serves.
            (Err(refused), Some(old)) if refused.is_retryable() && now < old.expires_at => {
                Ok((old.token, true))
            }
            (Err(refused), _) => {
                kept.token = None;
                Err(refused)
            }
        }
    }
}

/// The request with the token, within what is left of its time.
fn bearing(mut call: Call, token: &Token, deadline: Instant) -> Result<Call, Refused> {
    let text = Zeroizing::new(format!("Bearer {}", token.0.as_str()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| Refused::Unusable)?;
    value.set_sensitive(true);
    call.headers.insert(AUTHORIZATION, value);
    call.timeout_ms = left_ms(deadline);
    Ok(call)
}

fn left_ms(deadline: Instant) -> u32 {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    u32::try_from(left).unwrap_or(u32::MAX).max(1)
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}
