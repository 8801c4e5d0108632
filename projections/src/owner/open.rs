//! Opens sealed values for a decision or a job.

use super::table;
use crate::world::World;
use bytes::Bytes;
use domain::config::{Input, InputKind, Project, is_empty};
use domain::decide::{Missing, Open};
use domain::exchange;
use domain::id::{ExecutionId, ProjectId};
use domain::key::Key;
use domain::payload::Payload;
use domain::state::{Execution, Lineage, Row, RowKey, Rows, Saved, User};
use domain::workflow::Scope;
use domain::workflow::reference::Needs;
use ports::{Error, VaultError};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Opens what a decision needs; remembers what was not at hand.
pub struct Opener<'a> {
    world: &'a World,
    /// The rows of an owner, where there are newer ones than in the store.
    rows: Option<&'a Rows>,
    user: Option<&'a User>,
    project: Option<&'a Project>,
    fetched: BTreeMap<Bytes, Bytes>,
    wanted: Vec<(Key, Payload)>,
    gathered: BTreeMap<(ExecutionId, u16), Vec<Value>>,
    to_gather: Option<Gather>,
    failed: Option<VaultError>,
}

/// What the items of a fan out gave in one step, or the pages of one: where, and how many they are.
struct Gather {
    key: Key,
    of: (ExecutionId, u16),
    parts: u32,
}

/// Rows read in one go while gathering.
const GATHERED_ROWS_MAX: u32 = 1_000;

impl<'a> Opener<'a> {
    /// An opener for one user of a project.
    pub fn new(world: &'a World, user: Option<&'a User>, project: Option<&'a Project>) -> Self {
        Self {
            world,
            rows: None,
            user,
            project,
            fetched: BTreeMap::new(),
            wanted: Vec::new(),
            gathered: BTreeMap::new(),
            to_gather: None,
            failed: None,
        }
    }

    /// The opener for a key of an owner's rows.
    pub fn of(
        world: &'a World,
        rows: &'a Rows,
        project: Option<&'a Project>,
        key: Option<&Key>,
    ) -> Self {
        let user = key.and_then(|key| match key {
            Key::User(project, user) => rows.user(&RowKey::User(*project, user.clone())),
            Key::App(..) | Key::Limit(_) | Key::Lane(..) | Key::Project(_) => None,
        });
        Self { rows: Some(rows), ..Self::new(world, user, project) }
    }

    /// Fetches what was missing.
    ///
    /// # Errors
    /// The store of blobs or of keys cannot be reached now.
    pub async fn fetch(&mut self) -> Result<Fetched, Error> {
        if let Some(error) = self.failed.take() {
            return unreadable(error);
        }
        for (key, payload) in std::mem::take(&mut self.wanted) {
            let clear = match self.world.vault.fetch(&key, &payload).await {
                Ok(clear) => clear,
                Err(error) => return unreadable(error),
            };
            if let Some(sealed) = payload.sealed() {
                self.fetched.insert(sealed.clone(), clear);
            }
        }
        match self.to_gather.take() {
            Some(gather) => self.gather(gather).await,
            None => Ok(Fetched::Now),
        }
    }

    /// Reads the parts of what a step gave, in their order; null for items that gave nothing.
    async fn gather(&mut self, Gather { key, of, parts }: Gather) -> Result<Fetched, Error> {
        let partition = key.partition(self.world.log.partitions());
        let bytes_max = self.project.map_or(0, |project| project.settings.step_bytes_max);
        let (mut values, mut bytes) = (Vec::new(), 0);
        for from in (0..parts).step_by(GATHERED_ROWS_MAX as usize) {
            let numbers = from..parts.min(from + GATHERED_ROWS_MAX);
            let keys: Vec<RowKey> =
                numbers.map(|number| RowKey::Part(of.0, of.1, number)).collect();
            for part in self.rows_of(partition, &keys).await? {
                let Some(part) = part else {
                    values.push(Value::Null);
                    continue;
                };
                let clear = match self.world.vault.fetch(&key, &part).await {
                    Ok(clear) => clear,
                    Err(error) => return unreadable(error),
                };
                bytes += clear.len() as u64;
                if bytes > bytes_max {
                    return Ok(Fetched::TooLarge);
                }
                values.push(output_in(&clear));
            }
        }
        self.gathered.insert(of, values);
        Ok(Fetched::Now)
    }

    /// Parts by their keys: those that wait to be saved, and those in the store.
    async fn rows_of(
        &self,
        partition: u16,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Payload>>, Error> {
        let unsaved = |key| self.rows.and_then(|rows| rows.part(key)).cloned();
        let mut parts: Vec<Option<Payload>> = keys.iter().map(unsaved).collect();
        let left: Vec<usize> = (0..keys.len()).filter(|at| parts[*at].is_none()).collect();
        let places: Vec<Bytes> =
            left.iter().map(|at| table::place(partition, &keys[*at]).1).collect();
        for (at, row) in left.into_iter().zip(self.world.store.get(table::PARTS, &places).await?) {
            parts[at] = match row.as_deref().map(table::decode).transpose()? {
                Some(Row::Part(part)) => Some(part),
                Some(_) => return Err(Error::Corrupt("a part has another row's place".into())),
                None => None,
            };
        }
        Ok(parts)
    }

    /// What a step gave: in this run, in one around it, or, gathered, in the items of a fan out.
    fn output(
        &mut self,
        run: &Lineage<'_>,
        key: &Key,
        index: u16,
    ) -> Result<Option<Value>, Missing> {
        if let Some(packed) = run.output(index) {
            let mut last = output_in(&self.open(key, packed)?);
            if let Some((id, pages)) = run.pages(index) {
                let before = self.parts(key, ((id, index), pages))?;
                join_pages(&mut last, before);
            }
            return Ok(Some(last));
        }
        if let Some(item) = run.instance(index) {
            return Ok(Some(json!({ "instance": self.json(key, item)? })));
        }
        let Some((id, items)) = run.gathered(index) else { return Ok(None) };
        Ok(Some(transposed(self.parts(key, ((id, index), items))?)))
    }

    fn parts(
        &mut self,
        key: &Key,
        (of, parts): ((ExecutionId, u16), u32),
    ) -> Result<Vec<Value>, Missing> {
        if let Some(gathered) = self.gathered.get(&of) {
            return Ok(gathered.clone());
        }
        self.to_gather = Some(Gather { key: key.clone(), of, parts });
        Err(Missing)
    }

    fn open(&mut self, key: &Key, payload: &Payload) -> Result<Bytes, Missing> {
        if let Some(clear) = payload.sealed().and_then(|sealed| self.fetched.get(sealed)) {
            return Ok(clear.clone());
        }
        match self.world.vault.open(key, payload) {
            Ok(clear) => Ok(clear),
            Err(VaultError::Apart | VaultError::KeyGone { .. }) => {
                self.wanted.push((key.clone(), payload.clone()));
                Err(Missing)
            }
            Err(error) => {
                self.failed = Some(error);
                Err(Missing)
            }
        }
    }

    /// What `{{settings.…}}` has, and the names of what history does not show of it.
    fn settings(&mut self, run: &Execution, key: &Key, scope: &mut Scope) -> Result<(), Missing> {
        let settings = &mut scope.settings;
        let Some(user) = self.user else { return Ok(()) };
        if let Some(metadata) = &user.metadata {
            let metadata = self.json(key, metadata)?;
            if let Value::Object(map) = &metadata {
                settings.extend(map.clone());
            }
            settings.insert("metadata".into(), metadata);
        }
        if let Some(credential) = user.credentials.get(&run.credential) {
            if let Value::Object(map) = self.json(key, &credential.payload)? {
                settings.extend(map);
            }
            let integration =
                self.project.and_then(|p| p.integrations.get(&credential.integration));
            let inputs = integration.map(|integration| &integration.inputs[..]);
            let saved = &credential.settings;
            self.set(key, inputs.unwrap_or_default(), Some(&saved.shared), scope)?;
            // Those of the version that runs, which may have asked for others.
            let workflow = self.project.and_then(|p| p.workflow(run.workflow, run.version));
            let inputs = workflow.map(|workflow| &workflow.inputs[..]);
            let saved = saved.workflows.get(&run.workflow);
            self.set(key, inputs.unwrap_or_default(), saved, scope)?;
            scope.settings.insert("providerId".into(), json!(credential.provider_id));
        }
        scope.settings.insert("userId".into(), json!(run.user));
        Ok(())
    }

    /// Adds what a user set: of what was saved, what is declared.
    fn set(
        &mut self,
        key: &Key,
        inputs: &[Input],
        saved: Option<&Saved>,
        scope: &mut Scope,
    ) -> Result<(), Missing> {
        if inputs.is_empty() {
            return Ok(());
        }
        let mut values = match saved.and_then(|saved| saved.sealed.as_ref()) {
            Some(sealed) => self.json(key, sealed)?,
            None => Value::Null,
        };
        for input in inputs {
            let value = values.get_mut(&input.id).map(Value::take);
            let value = value.filter(|value| !is_empty(value)).or_else(|| input.default.clone());
            scope.settings.insert(input.id.clone(), value.unwrap_or_default());
            if input.kind == InputKind::Password {
                scope.hidden.insert(input.id.clone());
            }
        }
        Ok(())
    }

    fn secret(&mut self, project: ProjectId, name: &str) -> Result<Option<String>, Missing> {
        let Some(found) = self.project.and_then(|p| p.secrets.get(&format!("secret/{name}")))
        else {
            return Ok(None);
        };
        let clear = self.open(&Key::Project(project), &found.1)?;
        Ok(Some(String::from_utf8_lossy(&clear).into_owned()))
    }
}

impl Open for Opener<'_> {
    fn scope(&mut self, lineage: &Lineage<'_>, needs: &Needs) -> Result<Scope, Missing> {
        let run = lineage.run;
        let key = Key::User(run.project, run.user.clone());
        let mut scope = Scope::default();
        let workflow = self.project.and_then(|p| p.workflow(run.workflow, run.version));
        if let Some(workflow) = workflow {
            scope.names = Arc::new(workflow.names());
        }
        if needs.trigger {
            scope.trigger = self.json(&key, lineage.trigger_output())?;
        }
        for index in &needs.outputs {
            if let Some(output) = self.output(lineage, &key, *index)? {
                scope.outputs.insert(*index, output);
            }
        }
        if needs.settings {
            self.settings(run, &key, &mut scope)?;
        }
        for name in &needs.secrets {
            if let Some(value) = self.secret(run.project, name)? {
                scope.secrets.insert(name.clone(), value);
            }
        }
        Ok(scope)
    }

    fn json(&mut self, key: &Key, payload: &Payload) -> Result<Value, Missing> {
        let clear = self.open(key, payload)?;
        Ok(serde_json::from_slice(&clear).unwrap_or(Value::Null))
    }
}

/// Whether what was missing is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fetched {
    /// It is.
    Now,
    /// It never will be: its key or its blob is gone, or it is not what was sealed.
    Never,
    /// It is more than a step may refer to.
    TooLarge,
}

/// What a step gave, of what it took and gave.
fn output_in(packed: &[u8]) -> Value {
    let output = exchange::unpack(packed).ok().map(|(_, output)| output);
    output.and_then(|json| serde_json::from_slice(json).ok()).unwrap_or(Value::Null)
}

/// Puts the results of earlier pages in front of those of the last one.
fn join_pages(last: &mut Value, pages: Vec<Value>) {
    let mut results = Vec::new();
    for mut page in pages {
        if let Value::Array(found) = page["response"]["results"].take() {
            results.extend(found);
        }
    }
    if let Value::Array(found) = last["response"]["results"].take() {
        results.extend(found);
    }
    last["response"]["results"] = Value::Array(results);
}

/// Outputs of items as one output whose root holds an array: `{result: [1, 2]}` of `{result: 1}`
/// and `{result: 2}`, so that it is referred to as the output of one item is.
fn transposed(outputs: Vec<Value>) -> Value {
    let mut roots = Map::new();
    for output in &outputs {
        let Value::Object(output) = output else { continue };
        for root in
            output.keys().filter(|root| !roots.contains_key(*root)).cloned().collect::<Vec<_>>()
        {
            roots.insert(root, Value::Null);
        }
    }
    let mut arrays: Vec<(String, Vec<Value>)> =
        roots.into_iter().map(|(root, _)| (root, Vec::with_capacity(outputs.len()))).collect();
    for mut output in outputs {
        for (root, array) in &mut arrays {
            array.push(output.get_mut(root.as_str()).map_or(Value::Null, Value::take));
        }
    }
    Value::Object(arrays.into_iter().map(|(root, array)| (root, Value::Array(array))).collect())
}

/// What a failure to open means: try again later, or go on without.
pub(crate) fn unreadable(error: VaultError) -> Result<Fetched, Error> {
    match error {
        VaultError::Port(error) => Err(error),
        VaultError::KeyGone { .. } | VaultError::Forged { .. } | VaultError::Apart => {
            tracing::error!(%error, "a payload cannot be opened any more");
            Ok(Fetched::Never)
        }
    }
}

/// What a failure to seal means for an owner.
pub fn port_error(error: VaultError) -> Error {
    match error {
        VaultError::Port(error) => error,
        VaultError::KeyGone { .. } | VaultError::Forged { .. } | VaultError::Apart => {
            Error::Corrupt(error.to_string())
        }
    }
}
