//! Apache Kafka: one broker with every way in, or three that are one cluster.

use super::{Note, detached, ready};
use crate::tools;
use anyhow::Result;
use brokers::{Certificate, Cluster, Listener, PASSWORD, Ports, Protocol, USER};
use std::path::Path;
use std::process::Child;

/// Starts so many brokers with their data in a folder.
pub(super) fn start(data: &Path, count: u16) -> Result<Note> {
    let mut note = Note::default();
    let cluster = lay_out(data, count, &mut note)?;
    note.put("brokers", cluster.bootstrap());
    note.put("pids", run(&cluster)?.join(","));
    Ok(note)
}

fn lay_out(data: &Path, count: u16, note: &mut Note) -> Result<Cluster> {
    let mut ports = Ports::default();
    let mut cluster = Cluster::plan(data, &tools::kafka()?, count, &mut ports)?;
    if let [alone] = &mut cluster.brokers[..] {
        let certificate = Certificate::make(data)?;
        for (key, protocol) in
            [("sasl", Protocol::Sasl), ("tls", Protocol::Tls), ("sasl_tls", Protocol::Both)]
        {
            let port = ports.take()?;
            alone.listeners.push(Listener::new(protocol, port));
            note.put(key, format!("localhost:{port}"));
        }
        note.put("authority", certificate.authority.display().to_string());
        note.put("user", USER.to_owned());
        note.put("password", PASSWORD.to_owned());
        alone.certificate = Some(certificate);
    }
    Ok(cluster)
}

/// Starts the brokers; gives their process ids. If one does not come up, none stays.
fn run(cluster: &Cluster) -> Result<Vec<String>> {
    let mut children: Vec<Child> = Vec::new();
    let started = cluster.brokers.iter().try_for_each(|broker| {
        broker.format()?;
        children.push(detached(&mut broker.running(), &broker.output())?);
        Ok(())
    });
    // One of several answers only when most of them are there.
    let up = started.and_then(|()| {
        let pairs = cluster.brokers.iter().zip(&mut children);
        pairs
            .into_iter()
            .try_for_each(|(broker, child)| ready(child, &broker.output(), || broker.is_up()))
    });
    if let Err(error) = up {
        for mut child in children {
            child.kill()?;
            child.wait()?;
        }
        return Err(error);
    }
    Ok(children.iter().map(|child| child.id().to_string()).collect())
}
