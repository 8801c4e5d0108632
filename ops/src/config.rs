//! The settings: `default.toml`, a file, the environment.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const DEFAULT: &str = include_str!("../default.toml");
const PREFIX: &str = "MILLRACE_";

/// Every setting. `default.toml` says what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub data: PathBuf,
    pub http: Http,
    pub log: Log,
    pub kafka: Kafka,
    pub blobs: Blobs,
    pub store: Store,
    pub keys: Keys,
    pub egress: Egress,
    pub functions: Functions,
    pub telemetry: Telemetry,
}

/// `[http]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Http {
    pub listen: String,
    pub public_url: String,
    pub body_bytes_max: usize,
    pub webhook_bytes_max: usize,
    pub response_timeout_ms: u64,
    pub tenant_lag_ms_max: u64,
    pub head_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub connections_max: usize,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Log {
    pub backend: Backend,
    pub partitions: u16,
    pub segment_bytes: u64,
    pub together: bool,
}

/// Where the log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// In the node's folder; one process has it to itself.
    Embedded,
    /// In a Kafka cluster, for any number of nodes.
    Kafka,
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Kafka => "kafka",
        })
    }
}

/// `[kafka]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Kafka {
    pub brokers: String,
    pub prefix: String,
    pub replication: u16,
    pub in_sync_min: u16,
    pub commands_retention_hours: u64,
    pub dev: bool,
    pub tls: bool,
    pub tls_authority_file: String,
    pub tls_certificate_file: String,
    pub tls_key_file: String,
    pub sasl_mechanism: String,
    pub sasl_user: String,
    pub sasl_password: String,
    pub registry: String,
    pub registry_user: String,
    pub registry_password: String,
}

impl std::fmt::Debug for Kafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the passwords.
        f.debug_struct("Kafka").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

/// `[blobs]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Blobs {
    pub folder: String,
}

/// `[store]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Store {
    pub cache_bytes: u64,
}

/// `[keys]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Keys {
    pub master_key_file: String,
    pub admin_key_file: String,
}

/// `[egress]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Egress {
    pub allow: Vec<String>,
    pub connect_timeout_ms: u64,
    pub authority_file: String,
}

/// `[functions]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Functions {
    pub threads: usize,
    pub memory_bytes_max: usize,
}

/// `[telemetry]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Telemetry {
    pub level: String,
    pub format: String,
}

impl Config {
    /// Reads the defaults, the file if there is one, and what the environment overrides.
    ///
    /// # Errors
    /// The file cannot be read, or a key is unknown or has the wrong type.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(DEFAULT)?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings {}", path.display()))?;
            let over: toml::Table =
                toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
            merge(&mut table, over);
        }
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
                set(&mut table, &path, &value).with_context(|| format!("in {name}"))?;
            }
        }
        toml::Value::Table(table).try_into().context("the settings are not right")
    }
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(more)) => merge(inner, more),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets one value; its type is that of the default.
fn set(table: &mut toml::Table, path: &[String], text: &str) -> Result<()> {
    let Some((first, rest)) = path.split_first() else { bail!("no setting named") };
    let Some(old) = table.get_mut(first) else { bail!("there is no setting {first}") };
    if let toml::Value::Table(inner) = old {
        return set(inner, rest, text);
    }
    if !rest.is_empty() {
        bail!("{first} has no settings below it");
    }
    *old = match old {
        toml::Value::Integer(_) => toml::Value::Integer(text.parse()?),
        toml::Value::Boolean(_) => toml::Value::Boolean(text.parse()?),
        toml::Value::Array(_) => toml::Value::Array(
            text.split(',')
                .filter(|part| !part.is_empty())
                .map(|part| toml::Value::String(part.trim().to_owned()))
                .collect(),
        ),
        _ => toml::Value::String(text.to_owned()),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config> {
        let pairs = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        Config::load(None, pairs)
    }

    #[test]
    fn the_defaults_are_whole() {
        assert_eq!(load(&[]).unwrap().log.partitions, 8);
    }

    /// The deployment that people start from: its files are YAML, and name settings that exist.
    #[test]
    fn the_composed_nodes_know_their_settings() {
        let files = [
            include_str!("../deploy/compose.yaml"),
            include_str!("../deploy/prometheus/prometheus.yml"),
            include_str!("../deploy/grafana/datasources.yml"),
            include_str!("../deploy/grafana/dashboards.yml"),
        ];
        for text in files {
            let mistake = saphyr_parser::Parser::new_from_str(text).find_map(Result::err);
            assert!(mistake.is_none(), "{mistake:?}");
        }
        let settings = files[0].lines().filter(|line| line.trim().starts_with("MILLRACE_"));
        let pairs = settings.filter_map(|line| line.trim().split_once(": "));
        let pairs: Vec<_> = pairs
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        assert!(pairs.len() >= 6, "{pairs:?}");
        let config = Config::load(None, pairs.into_iter()).unwrap();
        assert_eq!((config.log.backend, config.kafka.dev), (Backend::Kafka, true));
    }

    #[test]
    fn the_dashboard_shows_metrics_that_there_are() {
        let text = include_str!("../deploy/grafana/millrace.json");
        let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
        let panels = dashboard["panels"].as_array().unwrap().iter();
        let shown: Vec<&str> = panels
            .flat_map(|panel| panel["targets"].as_array().unwrap())
            .flat_map(|target| target["expr"].as_str().unwrap().split(['(', ')', '[', ' ']))
            .filter(|word| word.starts_with("millrace_"))
            .collect();
        assert!(shown.len() >= 10, "{shown:?}");
        let declared = concat!(include_str!("meters.rs"), include_str!("status.rs"));
        for name in shown {
            let name = name.trim_end_matches("_bucket");
            assert!(declared.contains(&format!("\"{name}\"")), "{name}");
        }
    }

    #[test]
    fn the_environment_overrides() {
        let config = load(&[
            ("MILLRACE_HTTP__LISTEN", "127.0.0.1:0"),
            ("MILLRACE_EGRESS__ALLOW", "127.0.0.1, 10.0.0.0/8"),
            ("MILLRACE_LOG__TOGETHER", "false"),
            ("OTHER", "x"),
        ]);
        let config = config.unwrap();
        assert_eq!(config.http.listen, "127.0.0.1:0");
        assert_eq!(config.egress.allow, ["127.0.0.1", "10.0.0.0/8"]);
        assert!(!config.log.together);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        assert!(load(&[("MILLRACE_HTTP__LISTENS", "x")]).is_err());
    }
}
