//! A project file that is right, and what it still asks for.

use super::mistake::Mistake;
use crate::config::{Desired, Project};
use std::collections::BTreeMap;

/// A project file that is right. What it leaves to its surroundings is not in `desired` yet.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// What the file asks for, without API keys and without a generated signing key.
    pub desired: Desired,
    /// Whether a signing key is to be made, if the project has none.
    pub generate_signing_key: bool,
    /// API keys.
    pub api_keys: Vec<ApiKey>,
    /// Secrets by full name: `secret/<name>`, `webhook/<integration id>`.
    pub secrets: Vec<Asked>,
}

/// An API key of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: ApiKeySource,
}

/// Where an API key comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApiKeySource {
    /// The file or the environment has it.
    Key(Asked),
    /// The file has its SHA-256, hex.
    Hash(String),
    /// It is made, if the project has none of the name.
    Generate,
}

/// A secret value that a file tells or asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What it is for.
    pub name: String,
    /// Where it comes from.
    pub source: SecretSource,
    /// The line where the file says so.
    pub line: u32,
    /// The column where the file says so.
    pub column: u32,
    /// The place in the document.
    pub path: String,
}

/// Where a secret value comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The file has it.
    Literal(String),
    /// An environment variable has it.
    Env(String),
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SecretSource::Literal(_) => f.write_str("Literal(…)"),
            SecretSource::Env(name) => write!(f, "Env({name})"),
        }
    }
}

/// What only the surroundings of a file can supply.
pub trait Supplier {
    /// The value of an environment variable; `None`: it is not set.
    fn environment(&self, name: &str) -> Option<String>;

    /// SHA-256 of a key, hex, lower case.
    fn sha256(&self, key: &str) -> String;

    /// Makes an API key of the name, shows it once, and gives it back.
    fn new_api_key(&mut self, name: &str) -> String;

    /// Makes a signing key, shows its private half once, and gives its public half back (PEM).
    fn new_signing_key(&mut self) -> String;
}

/// A document with nothing left to ask for.
#[derive(Clone, PartialEq)]
pub struct Complete {
    /// What the file asks for.
    pub desired: Desired,
    /// Secret values by full name, to be sealed.
    pub secrets: Vec<(String, String)>,
}

impl std::fmt::Debug for Complete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.secrets.iter().map(|(name, _)| name.as_str()).collect();
        let mut shown = f.debug_struct("Complete");
        shown.field("desired", &self.desired).field("secrets", &names).finish()
    }
}

impl Document {
    /// Asks the surroundings for what is left. `current` is the project as it stands: what it has
    /// already is not made anew.
    ///
    /// # Errors
    /// Every environment variable that is not set or empty; nothing has been made then.
    pub fn complete(
        &self,
        current: Option<&Project>,
        supplier: &mut dyn Supplier,
    ) -> Result<Complete, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut open = |asked: &Asked| match asked.value(supplier) {
            Ok(value) => Some(value),
            Err(mistake) => {
                mistakes.push(mistake);
                None
            }
        };
        let secrets: Vec<(String, String)> = self
            .secrets
            .iter()
            .filter_map(|asked| Some((asked.name.clone(), open(asked)?)))
            .collect();
        let mut keys = BTreeMap::new();
        for key in &self.api_keys {
            if let ApiKeySource::Key(asked) = &key.source {
                keys.extend(open(asked).map(|value| (key.name.as_str(), value)));
            }
        }
        if !mistakes.is_empty() {
            mistakes.sort();
            return Err(mistakes);
        }
        let mut desired = self.desired.clone();
        for key in &self.api_keys {
            let kept = current.and_then(|project| project.api_keys.get(&key.name));
            let hash = match (&key.source, kept) {
                (ApiKeySource::Hash(hash), _) => hash.clone(),
                (ApiKeySource::Key(_), _) => {
                    let value = keys.get(key.name.as_str());
                    supplier.sha256(value.map_or("", String::as_str))
                }
                (ApiKeySource::Generate, Some(hash)) => hash.clone(),
                (ApiKeySource::Generate, None) => {
                    let value = supplier.new_api_key(&key.name);
                    supplier.sha256(&value)
                }
            };
            desired.api_keys.insert(key.name.clone(), hash);
        }
        if self.generate_signing_key {
            let kept = current.map(|project| &project.settings.signing_keys);
            desired.project.signing_keys = match kept.filter(|keys| !keys.is_empty()) {
                Some(keys) => keys.clone(),
                None => vec![supplier.new_signing_key()],
            };
        }
        Ok(Complete { desired, secrets })
    }
}

impl Asked {
    fn value(&self, supplier: &dyn Supplier) -> Result<String, Mistake> {
        let variable = match &self.source {
            SecretSource::Literal(value) => return Ok(value.clone()),
            SecretSource::Env(variable) => variable,
        };
        supplier.environment(variable).filter(|value| !value.is_empty()).ok_or_else(|| Mistake {
            line: self.line,
            column: self.column,
            path: self.path.clone(),
            problem: format!("the environment variable `{variable}` is not set"),
            mend: format!("run `export {variable}=…` first"),
        })
    }
}
