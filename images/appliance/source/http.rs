//! Questions to a metadata service: plain HTTP to a link-local address, bounded in time and size, never by a proxy, never
//! redirected.

use super::MOST;
use std::fmt;
use std::time::{Duration, Instant};
use ureq::Agent;

/// Where metadata services are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The link-local service that every cloud has.
    pub service: String,
    /// Azure's fabric, which is told that a machine is ready.
    pub fabric: String,
}

impl Default for Metadata {
    fn default() -> Self {
        Self { service: "http://169.254.169.254".into(), fabric: "http://168.63.129.16".into() }
    }
}

/// One attempt may take so long,
const ATTEMPT: Duration = Duration::from_secs(5);
/// and the next begins so much later.
const PAUSE: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Debug)]
pub struct HttpError {
    url: String,
    why: String,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.why)
    }
}

impl std::error::Error for HttpError {}

impl HttpError {
    pub(super) fn new(url: &str, why: impl fmt::Display) -> Self {
        Self { url: url.to_owned(), why: crate::problem::shown(&why.to_string()) }
    }
}

/// Asks until somebody answers, or patience is over.
pub(super) struct Asker {
    agent: Agent,
    until: Instant,
}

/// An answer.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// The value of the header that was asked for.
    pub(super) flavour: Option<String>,
}

impl Asker {
    pub(super) fn new(patience: Duration) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(ATTEMPT))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Self { agent: config.into(), until: Instant::now() + patience }
    }

    /// GET; nothing where the service says that there is nothing (404).
    pub(super) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Option<Answer>, HttpError> {
        self.again(url, &|| {
            let asked = headers.iter().fold(self.agent.get(url), |r, (name, value)| r.header(*name, *value));
            asked.call()
        })
    }

    /// PUT without a body.
    pub(super) fn put(&self, url: &str, headers: &[(&str, &str)]) -> Result<Option<Answer>, HttpError> {
        self.again(url, &|| {
            let asked = headers.iter().fold(self.agent.put(url), |r, (name, value)| r.header(*name, *value));
            asked.send_empty()
        })
    }

    /// POST.
    pub(super) fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Option<Answer>, HttpError> {
        self.again(url, &|| {
            let asked = headers.iter().fold(self.agent.post(url), |r, (name, value)| r.header(*name, *value));
            asked.send(body)
        })
    }

    /// Silence and errors of the service pass, as on a machine that is still being made; refusals do not.
    fn again(
        &self,
        url: &str,
        ask: &dyn Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Option<Answer>, HttpError> {
        loop {
            let error = match ask() {
                Ok(response) => match response.status().as_u16() {
                    200..=299 => return answer(url, response).map(Some),
                    404 => return Ok(None),
                    status @ (408 | 410 | 429 | 500..) => HttpError::new(url, format!("status {status}")),
                    status => return Err(HttpError::new(url, format!("status {status}"))),
                },
                Err(error) => HttpError::new(url, error),
            };
            if Instant::now() + PAUSE >= self.until {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn answer(url: &str, mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, HttpError> {
    let flavour = response.headers().get("metadata-flavor").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body =
        response.body_mut().with_config().limit(MOST).read_to_vec().map_err(|e| HttpError::new(url, e))?;
    Ok(Answer { body, flavour })
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
