//! Secret values on their way into the configuration.

use crate::door::Door;
use crate::problem::Outcome;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::command::SecretValue;
use domain::config::Project;
use domain::id::ProjectId;
use domain::key::Key;
use zeroize::Zeroizing;

impl Door {
    /// The values as they are kept. An unchanged one keeps its fingerprint; that of a new one is
    /// random, since one made from the value would let whoever reads the log try out values.
    pub(super) async fn sealed_secrets(
        &self,
        id: ProjectId,
        values: Vec<(String, String)>,
    ) -> Outcome<Vec<SecretValue>> {
        let (config, key) = (self.config(), Key::Project(id));
        let mut sealed = Vec::with_capacity(values.len());
        for (name, value) in values {
            let value = Zeroizing::new(value);
            let known = self.unchanged(config.project(id), &name, &value).await;
            sealed.push(SecretValue {
                name,
                fingerprint: known.unwrap_or_else(|| self.tag()),
                sealed: self.seal(&key, value.as_bytes()).await?,
            });
        }
        Ok(sealed)
    }

    async fn unchanged(
        &self,
        project: Option<&Project>,
        name: &str,
        value: &str,
    ) -> Option<String> {
        let project = project?;
        let (fingerprint, sealed) = project.secrets.get(name)?;
        let clear = self.open(&Key::Project(project.settings.id), sealed).await.ok()?;
        let equal = verify_slices_are_equal(&clear, value.as_bytes()).is_ok();
        equal.then(|| fingerprint.clone())
    }

    fn tag(&self) -> String {
        let mut bytes = [0u8; 16];
        self.app.random.fill(&mut bytes);
        hex::encode(bytes)
    }
}
